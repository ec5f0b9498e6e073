/* maildirmake: creates a mail directory. */
#include "base/options.h"
#include "user/maildir.h"

#define FATAL "maildirmake: fatal: "
#define USAGE "maildirmake directory"

int main(int argc, char **argv) {
  const struct option options[] = {{0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 1, 1);
  struct strerr e;

  if (maildir_create(argv[i], 0700, 0, &e) == -1) strerr_die(111, FATAL, &e);
  return 0;
}
