/* Programs started by another process: the request, and what comes of it. */
#include "net/starter.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/wait.h"
#include "check.h"

/* --- the codec --- */

static int same(char *const *a, char *const *b) {
  size_t i = 0;

  if (!a || !b) return a == b;
  while (a[i] && b[i] && !strcmp(a[i], b[i])) ++i;
  return !a[i] && !b[i];
}

static void check_round_trip(void) {
  char sh[] = "sh", empty[] = "", arg[] = "x y", a[] = "A=", b[] = "B=1=2";
  char *const argv[] = {sh, empty, arg, 0}, *const envp[] = {a, b, 0}, *const none[] = {0};
  char *const *const environments[] = {0, none, envp};
  struct starter_request r;
  stralloc text = STRALLOC_INIT;

  for (size_t i = 0; i < 12; ++i) {
    struct spawn s = {.path = "/bin/sh", .argv = argv, .envp = environments[i % 3], .cwd = i & 4 ? "/" : 0, .new_group = i & 1, .held = 5};

    size_t fds = i % 5;

    for (size_t j = 0; j < fds; ++j) spawn_move(&s, 7, (int)j * 2);
    for (size_t j = 0; j < i % 3; ++j) spawn_move(&s, SPAWN_NULL, (int)(fds + j) * 2);
    CHECK(starter_format(&text, &s));
    CHECK(starter_parse(text.s, text.len, fds, &r));
    CHECK(!strcmp(r.s.path, s.path) && same(r.s.argv, argv) && same(r.s.envp, s.envp) && r.s.moves == s.moves);
    CHECK(!r.s.cwd == !s.cwd && r.s.new_group == s.new_group && !r.s.new_session && r.s.held == 5 && !r.s.set_ids);
    for (size_t j = 0; j < s.moves; ++j) CHECK(r.s.move[j].to == (int)j * 2 && r.s.move[j].from == (j < fds ? -1 : SPAWN_NULL));
    CHECK(!starter_parse(text.s, text.len, fds + 1, &r) && !starter_parse(text.s, text.len - 1, fds, &r));
  }
  stralloc_free(&text);
}

static void check_parse(void) {
#define LIT(s) s, sizeof s - 1
  static const struct {
    const char *name, *text;
    size_t n, fds;
    int ok;
  } cases[] = {
      {"least", LIT("S\0" "12\0" "0\0" "0\0" "\0" "/p\0" "1\0" "p\0"), 0, 1},
      {"a descriptor", LIT("S\0" "12\0" "0\0" "1\0" "3\0" "\0" "/p\0" "1\0" "p\0"), 1, 1},
      {"variables", LIT("S\0" "4\0" "0\0" "0\0" "\0" "/p\0" "1\0" "p\0" "A=\0" "B=x\0"), 0, 1},
      {"nowhere", LIT("S\0" "12\0" "0\0" "2\0" "n0\0" "3\0" "\0" "/p\0" "1\0" "p\0"), 1, 1},
      {"nowhere, with a descriptor", LIT("S\0" "12\0" "0\0" "1\0" "n0\0" "\0" "/p\0" "1\0" "p\0"), 1, 0},
      {"nowhere twice", LIT("S\0" "12\0" "0\0" "1\0" "nn0\0" "\0" "/p\0" "1\0" "p\0"), 0, 0},
      {"moves without end", LIT("S\0" "12\0" "0\0" "13\0" "n0\0n1\0n2\0n3\0n4\0n5\0n6\0n7\0n8\0n9\0n10\0n11\0n12\0" "\0" "/p\0" "1\0" "p\0"), 0, 0},
      {"nothing", LIT(""), 0, 0},
      {"another letter", LIT("X\0" "12\0" "0\0" "0\0" "\0" "/p\0" "1\0" "p\0"), 0, 0},
      {"a descriptor too few", LIT("S\0" "12\0" "0\0" "1\0" "3\0" "\0" "/p\0" "1\0" "p\0"), 0, 0},
      {"five descriptors", LIT("S\0" "12\0" "0\0" "5\0" "1\0" "2\0" "3\0" "4\0" "5\0" "\0" "/p\0" "1\0" "p\0"), 5, 0},
      {"a descriptor far away", LIT("S\0" "12\0" "0\0" "1\0" "256\0" "\0" "/p\0" "1\0" "p\0"), 1, 0},
      {"a negative one", LIT("S\0" "12\0" "0\0" "1\0" "-1\0" "\0" "/p\0" "1\0" "p\0"), 1, 0},
      {"a flag that is none", LIT("S\0" "16\0" "0\0" "0\0" "\0" "/p\0" "1\0" "p\0"), 0, 0},
      {"signals that are none", LIT("S\0" "12\0" "4294967296\0" "0\0" "\0" "/p\0" "1\0" "p\0"), 0, 0},
      {"no path", LIT("S\0" "12\0" "0\0" "0\0" "\0" "\0" "1\0" "p\0"), 0, 0},
      {"no arguments", LIT("S\0" "12\0" "0\0" "0\0" "\0" "/p\0" "0\0"), 0, 0},
      {"an argument too few", LIT("S\0" "12\0" "0\0" "0\0" "\0" "/p\0" "2\0" "p\0"), 0, 0},
      {"too many arguments", LIT("S\0" "12\0" "0\0" "0\0" "\0" "/p\0" "65\0" "p\0"), 0, 0},
      {"own and other variables", LIT("S\0" "12\0" "0\0" "0\0" "\0" "/p\0" "1\0" "p\0" "A=\0"), 0, 0},
      {"no variable", LIT("S\0" "4\0" "0\0" "0\0" "\0" "/p\0" "1\0" "p\0" "A\0"), 0, 0},
      {"a variable without a name", LIT("S\0" "4\0" "0\0" "0\0" "\0" "/p\0" "1\0" "p\0" "=A\0"), 0, 0},
      {"the last one cut", LIT("S\0" "4\0" "0\0" "0\0" "\0" "/p\0" "1\0" "p\0" "A=b"), 0, 0},
  };
  struct starter_request r;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    CHECK_CASE(starter_parse(cases[i].text, cases[i].n, cases[i].fds, &r) == cases[i].ok, cases[i].name);
    /* Every beginning of it: one that is whole ends with a NUL, behind the arguments. */
    for (size_t n = 0; n < cases[i].n; ++n)
      CHECK_CASE(!starter_parse(cases[i].text, n, cases[i].fds, &r) || !cases[i].text[n - 1], cases[i].name);
  }
}

/* --- the process --- */

static int lost;

static void on_lost(void) {
  lost = 1;
}

/* /bin/sh with any script, and what cannot be run. */
static int may(void *ctx, const struct spawn *s, struct strerr *e) {
  CHECK(!strcmp(ctx, "rules") && s->envp);
  if (!strcmp(s->path, "/bin/sh") || !strcmp(s->path, "/nowhere/nothing")) return 1;
  strerr_set(e, s->path, ": not this one", (char *)0);
  return 0;
}

static pid_t run(const char *path, const char *script, char *const *envp, const int move[2], struct strerr *e) {
  char *const argv[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c", (char *)(uintptr_t)script, 0};
  struct spawn s = {.path = path, .argv = argv, .envp = envp, .cwd = "/"};

  if (move) spawn_move(&s, move[0], move[1]);
  return spawn_start(&s, e);
}

static int code(const char *script, char *const *envp) {
  struct strerr e;
  pid_t pid = run("/bin/sh", script, envp, 0, &e);
  int status = -1;

  return pid > 0 && wait_child(pid, deadline_in(20), &status) == 0 ? spawn_code(status) : -1;
}

static void check_descriptor(void) {
  const char want[] = "hello\n";
  char got[sizeof want] = "";
  struct strerr e;
  int p[2];
  pid_t pid;

  CHECK(fd_pipe(p) == 0);
  pid = run("/bin/sh", "echo hello >&5", 0, (const int[]){p[1], 5}, &e);
  CHECK(pid > 0);
  fd_close(p[1]);
  CHECK(fd_read_all(p[0], got, sizeof want - 1) == 1 && !strcmp(got, want));
  CHECK(read(p[0], got, 1) == 0 && spawn_code(spawn_wait(pid)) == 0);
  fd_close(p[0]);
}

static void check_kill(void) {
  struct strerr e;
  pid_t pid = run("/bin/sh", "exec sleep 100", 0, 0, &e), other = fork();
  int status;

  if (other == 0) {
    pause();
    _exit(0);
  }
  spawn_kill(other); /* none of the starter's */
  spawn_kill(pid);
  CHECK(wait_child(pid, deadline_in(20), &status) == 0 && spawn_code(status) == 128 + SIGKILL);
  spawn_kill(pid); /* it is gone */
  CHECK(code("exit 4", 0) == 4 && waitpid(other, &status, WNOHANG) == 0);
  kill(other, SIGKILL);
  CHECK(spawn_wait(other) == SIGKILL);
}

/* What gave its rights away has children with all of theirs. */
static void check_rights(void) {
  CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  CHECK(code("grep -q 'NoNewPrivs:.1' /proc/$PPID/status", 0) == 0);
  CHECK(code("grep -q 'NoNewPrivs:.0' /proc/self/status", 0) == 0);
}

int main(void) {
  static char words[] = "rules", a[] = "A=b c";
  char *const one[] = {a, 0};
  const struct starter_rules rules = {may, words};
  struct strerr e;

  check_round_trip();
  check_parse();
  signal(SIGPIPE, SIG_IGN);
  CHECK(starter_begin(&rules, on_lost, &e) == 0);
  check_rights();
  CHECK(code("exit 3", 0) == 3);
  CHECK(code("test \"$A\" = 'b c' && test -z \"$HOME\" && exit 5", one) == 5);
  CHECK(code("test -n \"$PATH\" && exit 6", 0) == 6);
  check_descriptor();
  CHECK(run("/bin/true", "", 0, 0, &e) == -1 && strstr(e.text, "not this one"));
  CHECK(run("/nowhere/nothing", "", 0, 0, &e) == -1 && e.sys == ENOENT && strstr(e.text, "/nowhere/nothing"));
  CHECK(waitpid(-1, 0, WNOHANG) == 0); /* there is the starter, and nobody who ended */
  check_kill();
  CHECK(!lost && code("for p in /proc/[0-9]*; do"
                        "  grep -sqx starter $p/comm && grep -sq \"PPid:.$PPID\\$\" $p/status && kill -9 ${p#/proc/}; "
                        "done; true", 0) == 0);
  CHECK(run("/bin/sh", "", 0, 0, &e) == -1 && lost && strstr(e.text, "gone"));
  return check_done();
}
