/* recipient-cdb: compiles users/recipients, or another file, for control/recipients. */
#include <string.h>

#include "base/options.h"
#include "conf/list_compile.h"
#include "conf/paths.h"

#define FATAL "recipient-cdb: fatal: "
#define USAGE "recipient-cdb [file]"

int main(int argc, char **argv) {
  const struct option table[] = {{0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, table, USAGE, 0, 1);
  const char *name = i < argc ? argv[i] : "recipients";
  stralloc path = STRALLOC_INIT;
  struct strerr e;

  if (strchr(name, '/') ? !stralloc_copys(&path, name) : !paths_file(PATH_USERS, name, &path)) strerr_die_nomem(FATAL);
  if (list_compile(path.s, ":", 0, 0, &e) == -1) strerr_die(111, FATAL, &e);
  return 0;
}
