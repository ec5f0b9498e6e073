/* qmail-newu: compiles users/assign into users/cdb. */
#include "base/options.h"
#include "conf/paths.h"
#include "user/assign.h"

#define FATAL "qmail-newu: fatal: "
#define USAGE "qmail-newu [directory]"

int main(int argc, char **argv) {
  const struct option options[] = {{0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 0, 1);
  stralloc dir = STRALLOC_INIT;
  struct strerr e;

  if (i < argc ? !stralloc_copys(&dir, argv[i]) : !paths_get(PATH_USERS, &dir)) strerr_die_nomem(FATAL);
  if (assign_newu(dir.s, &e) == -1) strerr_die(111, FATAL, &e);
  return 0;
}
