/* /proc/PID/stat with names that try to be fields, cut off everywhere; and ourselves. */
#include "super/procstat.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

#define REST " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 500 20 21\n"

static const struct {
  const char *name, *text;
  int want;
  pid_t parent;
  char state;
} cases[] = {
    {"plain", "10 (sh) S 7" REST, 1, 7, 'S'},
    {"blank in the name", "10 (a b) R 7" REST, 1, 7, 'R'},
    {"parenthesis in the name", "10 (a) S 99 (x)) Z 7" REST, 1, 7, 'Z'},
    {"no name", "10 S 7" REST, 0, 0, 0},
    {"too few fields", "10 (sh) S 7 1 2 3", 0, 0, 0},
    {"a parent that is no number", "10 (sh) S x" REST, 0, 0, 0},
    {"empty", "", 0, 0, 0},
};

static void texts(void) {
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct procstat p = {42, 'Q', 42};
    int r = procstat_parse(cases[i].text, strlen(cases[i].text), &p);

    CHECK_CASE(r == cases[i].want, cases[i].name);
    CHECK_CASE(p.parent == (r ? cases[i].parent : 42), cases[i].name);
    CHECK_CASE(p.state == (r ? cases[i].state : 'Q'), cases[i].name);
  }
}

/* Every beginning, in a block of just its size: nothing behind it is read. */
static void cut(void) {
  const char *s = cases[0].text;

  for (size_t n = 0; n < strlen(s); ++n) {
    char *copy = malloc(n + 1);
    struct procstat p;

    memcpy(copy, s, n);
    (void)procstat_parse(copy, n, &p);
    CHECK(n > 30 || procstat_parse(copy, n, &p) == 0);
    free(copy);
  }
}

static int seen;

static void child(void *ctx, pid_t pid) {
  seen += pid == *(pid_t *)ctx;
}

static void ourselves(void) {
  char boot[BOOT_ID_SIZE], again[BOOT_ID_SIZE];
  struct procstat p, q;
  pid_t pid;

  CHECK(procstat_read(getpid(), &p) == 1);
  CHECK(p.parent == getppid() && p.started > 0);
  CHECK(procstat_read(0x3fffffff, &p) == 0);
  CHECK(procstat_boot_id(boot) == 0 && procstat_boot_id(again) == 0);
  CHECK(!memcmp(boot, again, sizeof boot));
  pid = fork();
  if (pid == 0) {
    pause();
    _exit(0);
  }
  CHECK(procstat_read(pid, &q) == 1 && q.parent == getpid() && q.started >= p.started);
  CHECK(procstat_children(getpid(), child, &pid) == 0 && seen == 1);
  kill(pid, SIGKILL);
}

int main(void) {
  texts();
  cut();
  ourselves();
  return check_done();
}
