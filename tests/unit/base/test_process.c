/* Starting programs, environments, options, error texts, the event loop, signals, the log table. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/options.h"
#include "base/program.h"
#include "base/sigfd.h"
#include "base/spawn.h"
#include "base/strerr.h"
#include "check.h"

/* Runs a shell command with descriptors moved; what it wrote to its fd `to`. */
static int run(const char *command, int to, stralloc *out, struct env *env) {
  char *argv[] = {(char *)"sh", (char *)"-c", (char *)command, 0};
  struct spawn s = {.path = "/bin/sh", .argv = argv, .cwd = "/"};
  struct strerr e;
  int p[2];
  pid_t pid;

  if (env) s.envp = env_vector(env);
  CHECK(fd_pipe(p) == 0);
  spawn_move(&s, p[1], to);
  pid = spawn_start(&s, &e);
  CHECK(pid > 0);
  close(p[1]);
  stralloc_cut(out, 0);
  CHECK(fd_slurp(p[0], out, 10000) == 0);
  close(p[0]);
  return spawn_code(spawn_wait(pid));
}

static void programs(void) {
  stralloc out = STRALLOC_INIT;
  struct env env = {0};
  struct strerr e;
  char *none[] = {(char *)"/nonexistent/program", 0};
  struct spawn bad = {.path = none[0], .argv = none};

  CHECK(run("pwd; exit 7", 1, &out, 0) == 7 && stralloc_equals(&out, "/\n"));
  CHECK(run("echo x >&5", 5, &out, 0) == 0 && stralloc_equals(&out, "x\n"));
  CHECK(run("kill -9 $$", 1, &out, 0) == 128 + 9);
  CHECK(env_set(&env, "A", "1") && env_set(&env, "B", "2") && env_set(&env, "A", "3") && env_setu64(&env, "N", 9));
  env_unset(&env, "B");
  env_unset(&env, "missing");
  CHECK(!strcmp(env_lookup(&env, "A"), "3") && !env_lookup(&env, "B") && !env_lookup(&env, "AA"));
  CHECK(run("echo \"$A$B$N$HOME\"", 1, &out, &env) == 0 && stralloc_equals(&out, "39\n"));
  env_free(&env);
  CHECK(spawn_start(&bad, &e) == -1 && e.sys == ENOENT && strstr(e.text, "/nonexistent/program"));
  /* A parent that ignored the end of its children leaves that to us. */
  signal(SIGCHLD, SIG_IGN);
  CHECK(run("exit 5", 1, &out, 0) == 5);
  /* Signals are as by default in the child, whatever we do with ours. */
  sig_ignore_pipe();
  CHECK(run("trap '' 0; kill -13 $$; echo alive", 1, &out, 0) == 128 + 13);
  stralloc_free(&out);
}

/* Moves that cross: 0 to 1 and 1 to 0, and a source where another wants to go. */
static void crossing_moves(void) {
  char *argv[] = {(char *)"sh", (char *)"-c", (char *)"cat <&4; echo -n '|'; cat <&3", 0};
  struct spawn s = {.path = "/bin/sh", .argv = argv};
  stralloc out = STRALLOC_INIT;
  struct strerr e;
  int a[2], b[2], o[2];
  pid_t pid;

  CHECK(fd_pipe(a) == 0 && fd_pipe(b) == 0 && fd_pipe(o) == 0);
  CHECK(fcntl(a[0], F_DUPFD_CLOEXEC, 3) >= 3);
  /* put a's reader at 3 and b's at 4 in us, then swap them in the child */
  {
    int at3 = fcntl(a[0], F_DUPFD_CLOEXEC, 20), at4 = fcntl(b[0], F_DUPFD_CLOEXEC, 20);

    CHECK(write(a[1], "A", 1) == 1 && write(b[1], "B", 1) == 1);
    close(a[1]);
    close(b[1]);
    spawn_move(&s, at3, at4);
    spawn_move(&s, at4, at3);
    spawn_move(&s, at3, 4);
    spawn_move(&s, at4, 3);
    spawn_move(&s, o[1], 1);
    pid = spawn_start(&s, &e);
  }
  CHECK(pid > 0);
  close(o[1]);
  CHECK(fd_slurp(o[0], &out, 100) == 0 && spawn_wait(pid) == 0);
  CHECK(stralloc_equals(&out, "A|B"));
  stralloc_free(&out);
}

static void options(void) {
  static const struct {
    const char *args[8];
    int want, flag, count;
    uint64_t u;
    const char *s;
  } cases[] = {
      {{"p"}, 1, 0, 0, 5, 0},
      {{"p", "a"}, 1, 0, 0, 5, 0},
      {{"p", "-f", "a"}, 2, 1, 0, 5, 0},
      {{"p", "-fvv", "-u7", "a"}, 3, 1, 2, 7, 0},
      {{"p", "-vs", "text", "a"}, 3, 0, 1, 5, "text"},
      {{"p", "-stext", "--", "-f"}, 3, 0, 0, 5, "text"},
      {{"p", "-"}, 1, 0, 0, 5, 0},
      {{"p", "-x"}, -1, 0, 0, 5, 0},
      {{"p", "-u"}, -1, 0, 0, 5, 0},
      {{"p", "-u", "101"}, -1, 0, 0, 5, 0},
      {{"p", "-u", "-1"}, -1, 0, 0, 5, 0},
      {{"p", "a", "-f"}, 1, 0, 0, 5, 0},
      {{"p", "--flag", "a"}, 2, 1, 0, 5, 0},
      {{"p", "-v", "--last", "-v"}, 4, 0, 12, 5, 0},
      {{"p", "--fla"}, -1, 0, 0, 5, 0},
      {{"p", "--flags"}, -1, 0, 0, 5, 0},
      {{"p", "--", "--flag"}, 2, 0, 0, 5, 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    int flag = 0, count = 0, last = 0, argc = 0;
    uint64_t u = 5;
    const char *s = 0;
    struct option_word words[] = {{"flag", &flag}, {"last", &last}, {0, 0}};
    const struct option table[] = {{'f', OPTION_FLAG, &flag, 1}, {'v', OPTION_COUNT, &count, 0}, {'u', OPTION_U64, &u, 100},
                                   {'s', OPTION_STRING, &s, 0}, {'-', OPTION_WORDS, words, 0}, {0, 0, 0, 0}};

    while (cases[i].args[argc]) ++argc;
    CHECK(options_parse(argc, (char *const *)(uintptr_t)cases[i].args, table) == cases[i].want);
    CHECK(flag == cases[i].flag && count + 10 * last == cases[i].count && u == cases[i].u);
    CHECK(!s == !cases[i].s && (!s || !strcmp(s, cases[i].s)));
  }
}

static void errors(void) {
  struct strerr e;
  char big[2000];

  errno = ENOENT;
  CHECK(strerr_sys(&e, "a", "b", (char *)0) == -1 && !strcmp(e.text, "ab: No such file or directory") && e.sys == ENOENT && errno == ENOENT);
  memset(big, 'x', sizeof big - 1);
  big[sizeof big - 1] = 0;
  CHECK(strerr_set(&e, "evil\n\x1b[", big, (char *)0) == -1 && !strncmp(e.text, "evil??[", 7) && strlen(e.text) < sizeof e.text);
}

static struct {
  struct loop loop;
  struct loop_io a, b;
  struct loop_timer timer[20];
  int order[20], fired, reads;
} t;

static void on_timer(void *ctx) {
  t.order[t.fired++] = (int)(intptr_t)ctx;
}

static void on_stop(void *ctx) {
  loop_stop(ctx);
}

/* Both descriptors are ready: whichever comes first removes the other. */
static void on_read(void *ctx, int fd, unsigned events) {
  (void)fd;
  CHECK(events == LOOP_READ);
  ++t.reads;
  loop_io_remove(&t.loop, ctx);
  loop_io_remove(&t.loop, &t.a);
  loop_io_remove(&t.loop, &t.b);
}

static void loops(void) {
  deadline now = mono_now();
  int p[2];

  CHECK(loop_init(&t.loop) == 0 && fd_pipe(p) == 0 && write(p[1], "x", 1) == 1);
  for (int i = 0; i < 20; ++i)
    CHECK(loop_timer_set(&t.loop, &t.timer[i], now + (i * 7 % 20) * 1000, on_timer, (void *)(intptr_t)(i * 7 % 20)) == 0);
  loop_timer_cancel(&t.loop, &t.timer[1]); /* number 7 */
  loop_timer_cancel(&t.loop, &t.timer[1]);
  CHECK(loop_timer_set(&t.loop, &t.timer[0], now + NS_PER_MS * 3, on_stop, &t.loop) == 0); /* moved from number 0 */
  CHECK(loop_io_add(&t.loop, &t.a, p[0], LOOP_READ, on_read, &t.b) == 0);
  CHECK(loop_io_add(&t.loop, &t.b, dup(p[0]), LOOP_READ, on_read, &t.a) == 0);
  CHECK(loop_run(&t.loop) == 0);
  CHECK(t.reads == 1 && t.fired == 18);
  for (int i = 1; i < t.fired; ++i) CHECK(t.order[i] > t.order[i - 1] && t.order[i] != 7);
  CHECK(loop_io_set(&t.loop, &t.a, LOOP_WRITE) == -1);
  loop_free(&t.loop);
}

static void signals(void) {
  int fd = sigfd_open(SIGUSR1, SIGUSR2, 0);

  CHECK(fd != -1 && sigfd_next(fd) == 0);
  raise(SIGUSR2);
  CHECK(sigfd_next(fd) == SIGUSR2 && sigfd_next(fd) == 0);
  close(fd);
}

static void log_table(void) {
  char buf[200];
  struct log_arg args[] = {log_u(3), log_u(4), log_s("a b\nc%\x80"), log_u(5), log_u(6), log_s("queue1"), log_s("9.1")};
  size_t n;

  for (int i = 0; i < LOG_EVENTS; ++i) {
    CHECK_CASE(log_fields(log_rows[i].template) > 0, log_rows[i].name);
    CHECK_CASE(log_rows[i].meaning[0] != 0, log_rows[i].name);
  }
  n = log_format(buf, sizeof buf, LOG_info_msg, args, 7);
  CHECK(n == strlen("info msg 3: bytes 4 from <a_b/c__> qp 5 uid 6 queue1 id 9.1") &&
        !memcmp(buf, "info msg 3: bytes 4 from <a_b/c__> qp 5 uid 6 queue1 id 9.1", n));
  CHECK(log_format(buf, 10, LOG_info_msg, args, 7) == 10);
  CHECK(log_format(buf, sizeof buf, LOG_info_msg, args, 1) > 0); /* too few arguments: fields stay empty */
  CHECK(log_fields("{q:x}") == -1 && log_fields("{ux}") == -1 && log_fields("{u:x") == -1 && log_fields("none") == 0);
}

/* A shell command, run to its end; what comes to our descriptors 1 and 2 of it goes into out. */
static int run_program(const char *command, stralloc *report, size_t max, int seconds, stralloc *out, struct strerr *e) {
  char *argv[] = {(char *)"sh", (char *)"-c", (char *)command, 0};
  struct spawn s = {.path = "/bin/sh", .argv = argv};
  int ours[2] = {dup(1), dup(2)}, file = open("/tmp", O_TMPFILE | O_RDWR | O_APPEND, 0600), code;

  CHECK(file != -1 && dup2(file, 1) == 1 && dup2(file, 2) == 2);
  code = program_run(&s, report, max, deadline_in(seconds), e);
  CHECK(dup2(ours[0], 1) == 1 && dup2(ours[1], 2) == 2);
  stralloc_cut(out, 0);
  CHECK(lseek(file, 0, SEEK_SET) == 0 && fd_slurp(file, out, 1000000) == 0);
  close(file);
  close(ours[0]);
  close(ours[1]);
  return code;
}

static void programs_to_their_end(void) {
  stralloc out = STRALLOC_INIT, report = STRALLOC_INIT;
  struct strerr e;

  for (size_t limit = 0; limit <= 10; limit += 10) { /* without, and with one */
    program_limit(limit);
    CHECK(run_program("echo a; echo b >&2; exit 7", 0, 0, 20, &out, &e) == 7 && stralloc_equals(&out, "a\nb\n"));
    CHECK(run_program("echo a; echo b >&2", &report, 10, 20, &out, &e) == 0 && stralloc_equals(&report, "a\n") && stralloc_equals(&out, "b\n"));
    stralloc_cut(&report, 0);
    CHECK(run_program("echo 123456789; echo more", &report, 12, 20, &out, &e) == -1 && e.sys == EFBIG);
    stralloc_cut(&report, 0);
    CHECK(run_program("exec sleep 100", 0, 0, 0, &out, &e) == -1 && e.sys == ETIMEDOUT);
    CHECK(run_program("kill -9 $$", 0, 0, 20, &out, &e) == 128 + 9);
  }
  CHECK(run_program("echo 123456789abc; head -c 200000 /dev/zero >&2; exit 3", 0, 0, 20, &out, &e) == 3 && stralloc_equals(&out, "123456789a"));
  CHECK(run_program("while echo x; do :; done", 0, 0, 1, &out, &e) == -1 && e.sys == ETIMEDOUT && out.len == 10);
  CHECK(run_program("sleep 4 & echo on", 0, 0, 3, &out, &e) == 0 && stralloc_equals(&out, "on\n")); /* who is left behind is not waited for */
  program_limit(0);
  stralloc_free(&out);
  stralloc_free(&report);
}

/* A shell command that is asked: what it says on fd, of which max bytes are wanted. */
static int ask(const char *command, int fd, stralloc *answer, size_t max, int seconds, struct strerr *e) {
  char *argv[] = {(char *)"sh", (char *)"-c", (char *)command, 0};
  struct spawn s = {.path = "/bin/sh", .argv = argv};

  spawn_move(&s, SPAWN_NULL, 0);
  spawn_move(&s, SPAWN_NULL, 2);
  if (fd != 1) spawn_move(&s, SPAWN_NULL, 1);
  return program_ask(&s, fd, answer, max, deadline_in(seconds), e);
}

static void programs_that_are_asked(void) {
  stralloc answer = STRALLOC_INIT;
  struct strerr e;

  CHECK(ask("echo yes; echo no >&2; exit 3", 1, &answer, 100, 20, &e) == 3 && stralloc_equals(&answer, "yes\n"));
  CHECK(ask("echo no; echo yes >&5", 5, &answer, 100, 20, &e) == 0 && stralloc_equals(&answer, "yes\n"));
  CHECK(ask("echo 123456789", 1, &answer, 4, 20, &e) == 0 && stralloc_equals(&answer, "1234"));
  CHECK(ask("test /dev/fd/0 -ef /dev/null && test /dev/fd/2 -ef /dev/null", 1, &answer, 4, 20, &e) == 0 && answer.len == 0);
  CHECK(ask("exit 9", -1, 0, 0, 20, &e) == 9);
  CHECK(ask("sleep 4 & echo on", 1, &answer, 100, 3, &e) == 0 && stralloc_equals(&answer, "on\n")); /* as above */
  CHECK(ask("exec sleep 100", 1, &answer, 100, 0, &e) == -1 && answer.len == 0);
  CHECK(ask("while echo x; do :; done", 1, &answer, 100, 1, &e) == -1 && answer.len == 100);
  CHECK(ask("head -c 300000 /dev/zero; echo x; exit 5", 1, &answer, 100, 20, &e) == 5 && answer.len == 100); /* more than a pipe holds */
  CHECK(ask("sleep 1; echo late", 1, &answer, 100, 20, &e) == 0 && stralloc_equals(&answer, "late\n"));
  CHECK(ask("exec >&-; sleep 1; exit 4", 1, &answer, 100, 20, &e) == 4 && answer.len == 0);
  stralloc_free(&answer);
}

int main(void) {
  programs();
  programs_to_their_end();
  programs_that_are_asked();
  crossing_moves();
  options();
  errors();
  loops();
  signals();
  log_table();
  return check_done();
}
