/* svc: sends commands to supervise, and may wait for what comes of them. */
#include <string.h>

#include "base/scan.h"
#include "super/svstate.h"
#include "super/svwait.h"

#define USAGE "svc [-udropcharitqk12UGxewW] [-T seconds] dir ..."
#define WARNING "svc: warning: "

enum { SVC_ERROR = 1, SVC_UNSUPERVISED = 2, SVC_TIMEOUT = 3 };

static int failed(const struct strerr *e, int code) {
  strerr_warn(WARNING, e);
  return code;
}

static int tell(const char *dir, const char *commands, char wait, deadline when) {
  struct svstatus before;
  struct strerr e;
  int fresh = wait == 'u' && strchr(commands, 'r') && sv_status(dir, &before, &e) == 1;
  int r = sv_control(dir, commands, strlen(commands), &e);

  if (r == -1) return failed(&e, SVC_ERROR);
  if (r == 0) {
    strerr_set(&e, "no supervise runs for ", dir, (char *)0);
    return failed(&e, SVC_UNSUPERVISED);
  }
  if (!wait) return 0;
  r = sv_wait(dir, wait, fresh ? &before : 0, when, &e);
  if (r == -1) return failed(&e, SVC_ERROR);
  if (r == 1) return 0;
  strerr_set(&e, dir, wait == 'u' ? " is not up in time" : " is not down in time", (char *)0);
  return failed(&e, SVC_TIMEOUT);
}

struct request {
  char commands[64];
  size_t n;
  char wait;
  int codes;
  uint64_t seconds;
};

/* One letter; rest is what follows it in the argument, next the argument after.
 * Gives how many of these two were used up as a value (0, 1 rest, 2 next), -1. */
static int letter(struct request *r, char c, const char *rest, const char *next) {
  const char *value = *rest ? rest : next;

  if (c == 'T') {
    if (!value || !scan_u64_max(value, strlen(value), 1000000000, &r->seconds)) return -1;
    return *rest ? 1 : 2;
  }
  if (c == 'e') r->codes = 1;
  else if (c == 'w') r->wait = 'u';
  else if (c == 'W') r->wait = 'd';
  else if (!strchr("udropchaitqkUGx12", c) || r->n + 1 >= sizeof r->commands) return -1;
  else r->commands[r->n++] = c;
  return 0;
}

/* By hand, for the commands are sent in the order of their letters. */
static int parse(int argc, char **argv, struct request *r) {
  int i;

  for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; ++i) {
    int used = 0;

    if (!strcmp(argv[i], "--")) return i + 1;
    for (const char *s = argv[i] + 1; *s && !used; ++s)
      if ((used = letter(r, *s, s + 1, argv[i + 1])) == -1) return -1;
    if (used == 2) ++i;
  }
  return i;
}

int main(int argc, char **argv) {
  struct request r = {{0}, 0, 0, 0, 0};
  int code = 0;
  int i = parse(argc, argv, &r);

  if (i == -1) strerr_die_usage(USAGE);
  for (; i < argc; ++i) {
    deadline when = r.seconds ? deadline_in((int64_t)r.seconds) : DEADLINE_NEVER;
    int failure = tell(argv[i], r.commands, r.wait, when);

    if (!code) code = failure;
  }
  return r.codes || r.wait ? code : 0;
}
