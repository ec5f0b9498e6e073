/* svscan: starts and keeps the supervises of a directory; the work is in
 * super/svscan.h. */
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/options.h"
#include "base/scan.h"
#include "conf/paths.h"
#include "super/svscan.h"

#define FATAL "svscan: fatal: "

static uint64_t env_seconds(const char *name, uint64_t otherwise) {
  const char *s = env_get(name);

  if (s && *s && !scan_u64_max(s, strlen(s), 1000000, &otherwise))
    strerr_diem(100, FATAL, "$", name, " is not a number of seconds", (char *)0);
  return otherwise;
}

/* Our own supervise; where it is not installed, the one in $PATH. */
static const char *find_supervise(stralloc *path) {
  if (!paths_program("supervise", path)) strerr_die_nomem(FATAL);
  return access(path->s, X_OK) == 0 ? path->s : "supervise";
}

int main(int argc, char **argv) {
  stralloc supervise = STRALLOC_INIT;
  struct svscan_options o = {.dir = ".", .max = 1000};
  const struct option table[] = {
      {'v', OPTION_FLAG, &o.verbose, 1},
      {'s', OPTION_FLAG, &o.silent, 1},
      {'p', OPTION_FLAG, &o.tied, 1},
      {'n', OPTION_U64, &o.max, 100000},
      {0, OPTION_FLAG, 0, 0},
  };
  struct strerr e;
  int i = options_or_die(argc, argv, table, "svscan [-vsp] [-n count] [dir]", 0, 1);

  if (i < argc) o.dir = argv[i];
  o.supervise = find_supervise(&supervise);
  o.interval = env_seconds("SCANINTERVAL", 5);
  o.wait_mains = env_seconds("KILLWAIT1", env_seconds("KILLWAIT", 30));
  o.wait_logs = env_seconds("KILLWAIT2", env_seconds("KILLWAIT", 5));
  o.init = env_get("INITCMD");
  o.wait_init = env_get("WAIT_INITCMD") != 0;
  o.log = env_get("SCANLOG") != 0;
  if (env_get("VERBOSE")) o.verbose = 1;
  if (env_get("SILENT")) o.silent = 1;
  if (env_get("SETSID")) setsid();
  if (svscan_run(&o, &e) == -1) strerr_die(111, FATAL, &e);
  return 0;
}
