/* qmail-newmrh: compiles control/morercpthosts into control/morercpthosts.cdb. */
#include "base/options.h"
#include "conf/list_compile.h"
#include "conf/paths.h"

#define FATAL "qmail-newmrh: fatal: "
#define USAGE "qmail-newmrh"

int main(int argc, char **argv) {
  const struct option table[] = {{0, OPTION_FLAG, 0, 0}};
  stralloc path = STRALLOC_INIT;
  struct strerr e;

  (void)options_or_die(argc, argv, table, USAGE, 0, 0);
  if (!paths_file(PATH_CONTROL, "morercpthosts", &path)) strerr_die_nomem(FATAL);
  if (list_compile(path.s, "", 0, 0, &e) == -1) strerr_die(111, FATAL, &e);
  return 0;
}
