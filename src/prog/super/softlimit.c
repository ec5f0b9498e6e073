/* softlimit: sets soft resource limits, then runs a program. */
#include <string.h>
#include <sys/resource.h>

#include "base/options.h"
#include "base/scan.h"
#include "super/chain.h"

#define FATAL "softlimit: fatal: "
#define USAGE "softlimit [-a|-c|-d|-f|-l|-m|-o|-p|-q|-r|-s|-t limit] ... program [arg ...]"

static const struct {
  char letter;
  int resource;
  const char *name;
} limits[] = {
    {'a', RLIMIT_AS, "a"},       {'c', RLIMIT_CORE, "c"},     {'d', RLIMIT_DATA, "d"},
    {'f', RLIMIT_FSIZE, "f"},    {'l', RLIMIT_MEMLOCK, "l"},  {'m', RLIMIT_DATA, "m"},
    {'m', RLIMIT_STACK, "m"},    {'m', RLIMIT_MEMLOCK, "m"},  {'m', RLIMIT_AS, "m"},
    {'o', RLIMIT_NOFILE, "o"},   {'p', RLIMIT_NPROC, "p"},    {'q', RLIMIT_MSGQUEUE, "q"},
    {'r', RLIMIT_RSS, "r"},      {'s', RLIMIT_STACK, "s"},    {'t', RLIMIT_CPU, "t"},
};

#define LIMITS (sizeof limits / sizeof limits[0])

/* A number, "=" for the hard limit, "-1" for none; never above the hard limit. */
static int set(int resource, const char *text) {
  struct rlimit r;
  uint64_t n = RLIM_INFINITY;

  if (strcmp(text, "=") && strcmp(text, "-1") && !scan_u64(text, strlen(text), &n)) strerr_die_usage(USAGE);
  if (getrlimit((__rlimit_resource_t)resource, &r) == -1) return -1;
  r.rlim_cur = strcmp(text, "=") && n < r.rlim_max ? n : r.rlim_max;
  return setrlimit((__rlimit_resource_t)resource, &r);
}

int main(int argc, char **argv) {
  static const char letters[] = "acdflmopqrst";
  struct option table[sizeof letters] = {{0, OPTION_FLAG, 0, 0}};
  const char *value[sizeof letters] = {0};
  struct strerr e;
  int i;

  for (size_t n = 0; letters[n]; ++n) table[n] = (struct option){letters[n], OPTION_STRING, &value[n], 0};
  i = options_or_die(argc, argv, table, USAGE, 1, -1);
  /* -m first, so that the others can refine what it sets. */
  for (int all = 1; all >= 0; --all)
    for (size_t n = 0; n < LIMITS; ++n) {
      const char *text = value[strchr(letters, limits[n].letter) - letters];

      if (!text || (limits[n].letter == 'm') != all) continue;
      if (set(limits[n].resource, text) == -1)
        strerr_diem_sys(111, FATAL, "unable to set limit -", limits[n].name, (char *)0);
    }
  chain_exec(argv + i, 0, &e);
  strerr_die(111, FATAL, &e);
}
