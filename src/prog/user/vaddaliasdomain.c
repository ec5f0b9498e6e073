/* vaddaliasdomain: gives a virtual domain another name. */
#include "base/options.h"
#include "user/domain_alias.h"
#include "user/post_handle.h"

#define FATAL "vaddaliasdomain: fatal: "
#define USAGE "vaddaliasdomain [-v] new old"

int main(int argc, char **argv) {
  struct site s;
  struct strerr e;
  int verbose = 0;
  const struct option options[] = {{'v', OPTION_COUNT, &verbose, 0}, {0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 2, 2);

  for (int k = i; k < argc; ++k)
    if (site_domain(argv[k], &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  if (site_load(&s, &e) == -1 || domain_alias_add(&s, argv[i], argv[i + 1], &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  if (verbose) strerr_warnm("", argv[i], " is another name of ", argv[i + 1], (char *)0);
  site_close(&s);
  return post_handle_finish(FATAL, &(struct post_handle){"vaddaliasdomain", argv + i, &s.mail, 1});
}
