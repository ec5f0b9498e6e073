/* vdeldomain: removes a virtual domain with all its users and their mail. */
#include <string.h>

#include "base/options.h"
#include "user/domain.h"
#include "user/domain_turn.h"
#include "user/post_handle.h"

#define FATAL "vdeldomain: fatal: "
#define USAGE "vdeldomain [-vTc] domain"

int main(int argc, char **argv) {
  struct site s;
  struct strerr e;
  int verbose = 0, turn = 0, ignored = 0, r;
  const struct option options[] = {{'v', OPTION_COUNT, &verbose, 0}, {'T', OPTION_FLAG, &turn, 1}, {'c', OPTION_COUNT, &ignored, 0}, {0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 1, 1);

  r = site_domain(argv[i], &e) == -1 || site_load(&s, &e) == -1 ? -1 : 0;
  if (r == 0) r = turn ? domain_turn_remove(&s, argv[i], &e) : domain_delete(&s, argv[i], &e);
  if (r == -1) strerr_die(site_code(&e), FATAL, &e);
  if (verbose) strerr_warnm("", "removed domain ", argv[i], (char *)0);
  site_close(&s);
  return post_handle_finish(FATAL, &(struct post_handle){"vdeldomain", (char *[]){argv[i], 0}, &s.mail, 1});
}
