/* vcaliasrev.sh: makes .qmail files of the aliases of a virtual domain.  The name is the classic one, of a
 * script. */
#include "base/options.h"
#include "user/alias_files.h"

#define FATAL "vcaliasrev.sh: fatal: "
#define USAGE "vcaliasrev.sh [-vr] domain"

static int verbose, left;

static void told(void *ctx, const char *name, const char *why) {
  (void)ctx;
  if (why) left = 1;
  if (why) strerr_warnm("vcaliasrev.sh: left as it is: ", name, ": ", why, (char *)0);
  else if (verbose) strerr_warnm("vcaliasrev.sh: converted: ", name, (char *)0);
}

int main(int argc, char **argv) {
  struct site s;
  struct strerr e;
  int remove = 0;
  const struct option options[] = {{'v', OPTION_COUNT, &verbose, 0}, {'r', OPTION_FLAG, &remove, 1}, {0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 1, 1);

  if (site_domain(argv[i], &e) == -1 || site_load(&s, &e) == -1 || alias_files_export(&s, argv[i], remove, told, 0, &e) == -1)
    strerr_die(site_code(&e), FATAL, &e);
  site_close(&s);
  return left;
}
