/* qmail-cdb: compiles a list of the control directory, or with -r the recipients, into a
 * database. */
#include <string.h>

#include "base/fmt.h"
#include "base/options.h"
#include "conf/list_compile.h"
#include "conf/paths.h"

#define FATAL "qmail-cdb: fatal: "
#define WARNING "qmail-cdb: warning: "
#define USAGE "qmail-cdb [-m] list | qmail-cdb -r [-m] [file]"

static void warn(void *ctx, uint64_t number, const char *line) {
  char digits[FMT_U64 + 1];

  strerr_warnm(WARNING, ctx, ":", fmt_u64_z(digits, number), ": a database knows no patterns: ", line, (char *)0);
}

int main(int argc, char **argv) {
  int recipients = 0, mapped = 0;
  const struct option table[] = {
      {'r', OPTION_FLAG, &recipients, 1}, {'m', OPTION_FLAG, &mapped, 1}, {0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, table, USAGE, 0, 1);
  const char *name = i < argc ? argv[i] : "recipients";
  stralloc path = STRALLOC_INIT;
  struct strerr e;

  if (i == argc && !recipients) strerr_die_usage(USAGE);
  if (strchr(name, '/') ? !stralloc_copys(&path, name) : !paths_file(recipients ? PATH_USERS : PATH_CONTROL, name, &path))
    strerr_die_nomem(FATAL);
  if (list_compile(path.s, recipients ? ":" : "", warn, path.s, &e) == -1) strerr_die(111, FATAL, &e);
  return 0;
}
