/* vcalias: makes aliases of the user database of a virtual domain's .qmail files. */
#include "base/options.h"
#include "user/alias_files.h"

#define FATAL "vcalias: fatal: "
#define USAGE "vcalias [-vr] domain"

static int verbose, left;

static void told(void *ctx, const char *name, const char *why) {
  (void)ctx;
  if (why) left = 1;
  if (why) strerr_warnm("vcalias: left as it is: ", name, ": ", why, (char *)0);
  else if (verbose) strerr_warnm("vcalias: converted: ", name, (char *)0);
}

int main(int argc, char **argv) {
  struct site s;
  struct strerr e;
  int remove = 0;
  const struct option options[] = {{'v', OPTION_COUNT, &verbose, 0}, {'r', OPTION_FLAG, &remove, 1}, {0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 1, 1);

  if (site_domain(argv[i], &e) == -1 || site_load(&s, &e) == -1 || alias_files_import(&s, argv[i], remove, told, 0, &e) == -1)
    strerr_die(site_code(&e), FATAL, &e);
  site_close(&s);
  return left;
}
