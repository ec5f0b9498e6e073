/* multilog: writes lines to rotated logs; the work is in super/multilog.h. */
#include "base/env.h"
#include "super/multilog.h"

#define FATAL "multilog: fatal: "
#define USAGE "multilog [t] [+pattern] [-pattern] [e] [=file] [s size] [n count] [!processor] [dir] ..."

int main(int argc, char **argv) {
  struct multilog m;
  struct strerr e;

  if (argc < 2) strerr_die_usage(USAGE);
  if (multilog_open(&m, argv + 1, env_get("NOFSYNC") != 0, &e) == -1) {
    if (e.permanent) strerr_diem(100, "usage: ", USAGE, " (", e.text, ")", (char *)0);
    strerr_die(111, FATAL, &e);
  }
  if (multilog_run(&m, &e) == -1) strerr_die(111, FATAL, &e);
  return 0;
}
