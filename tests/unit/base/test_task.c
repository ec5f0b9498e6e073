/* Tasks take turns where they wait; the same calls wait in the ordinary way outside of
 * them. */
#include "base/task.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/iodeadline.h"
#include "base/spawn.h"
#include "base/wait.h"
#include "check.h"

struct world {
  struct loop loop;
  struct tasks tasks;
  char trail[256];
};

struct echo {
  struct world *w;
  int fd;
  char name;
};

static void note(struct world *w, char c) {
  size_t n = strlen(w->trail);

  if (n + 1 < sizeof w->trail) w->trail[n] = c;
}

static void stop_if_last(struct world *w) {
  if (w->tasks.running == 1) loop_stop(&w->loop);
}

/* Answers each byte until the end of its input. */
static void echo(void *ctx) {
  struct echo *e = ctx;
  struct iodeadline io = {.fd = e->fd, .when = deadline_in(5), .session = DEADLINE_NEVER};
  char c;

  note(e->w, e->name);
  while (iodeadline_read(&io, &c, 1) == 1) {
    note(e->w, c);
    CHECK(iodeadline_write(&io, &c, 1) == 1);
  }
  wait_forget(e->fd);
  fd_close(e->fd);
  stop_if_last(e->w);
}

static void begin(struct world *w) {
  memset(w, 0, sizeof *w);
  CHECK(loop_init(&w->loop) == 0);
  w->tasks.loop = &w->loop;
  w->tasks.stack = 65536;
}

static void end(struct world *w) {
  CHECK(w->tasks.running == 0);
  tasks_free(&w->tasks);
  loop_free(&w->loop);
}

static void take_turns(void) {
  struct world w;
  struct echo a = {&w, -1, 'A'}, b = {&w, -1, 'B'};
  int pa[2], pb[2];
  char c[3];

  begin(&w);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pa) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pb) == 0);
  a.fd = pa[0];
  b.fd = pb[0];
  CHECK(write(pb[1], "1", 1) == 1); /* it is there before B starts, and yet B waits its turn */
  CHECK(task_start(&w.tasks, a.fd, echo, &a) == 0);
  CHECK(task_start(&w.tasks, b.fd, echo, &b) == 0);
  CHECK(!strcmp(w.trail, "AB") && w.tasks.running == 2 && !task_current());
  CHECK(write(pa[1], "23", 2) == 2);
  shutdown(pa[1], SHUT_WR);
  shutdown(pb[1], SHUT_WR);
  CHECK(loop_run(&w.loop) == 0);
  CHECK(strchr(w.trail, '1') && strstr(w.trail, "2") < strstr(w.trail, "3"));
  CHECK(read(pa[1], c, 3) == 2 && !memcmp(c, "23", 2));
  CHECK(read(pb[1], c, 3) == 1 && c[0] == '1');
  fd_close(pa[1]);
  fd_close(pb[1]);
  end(&w);
}

/* While a task waits for something else, what its connection says is kept for later. */
struct two {
  struct world *w;
  int usual, other;
};

static void waits_elsewhere(void *ctx) {
  struct two *t = ctx;
  struct iodeadline usual = {.fd = t->usual, .when = deadline_in(5), .session = DEADLINE_NEVER};
  struct iodeadline other = {.fd = t->other, .when = deadline_in(5), .session = DEADLINE_NEVER};
  char c;

  CHECK(iodeadline_read(&usual, &c, 1) == 1);
  note(t->w, c);
  CHECK(iodeadline_read(&other, &c, 1) == 1);
  note(t->w, c);
  CHECK(iodeadline_read(&usual, &c, 1) == 1);
  note(t->w, c);
  wait_forget(t->usual);
  fd_close(t->usual);
  stop_if_last(t->w);
}

static void says_later(void *ctx) {
  struct two *t = ctx;

  wait_until(mono_now() + 20 * NS_PER_MS); /* the loop sees the usual one meanwhile */
  note(t->w, '.');
  CHECK(write(t->other, "o", 1) == 1);
}

static void keeps_what_comes(void) {
  struct world w;
  int pu[2], po[2];
  struct two waiter, sayer;

  begin(&w);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pu) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, po) == 0);
  waiter = (struct two){&w, pu[0], po[0]};
  sayer = (struct two){&w, -1, po[1]};
  CHECK(write(pu[1], "ab", 2) == 2);
  CHECK(task_start(&w.tasks, waiter.usual, waits_elsewhere, &waiter) == 0);
  CHECK(task_start(&w.tasks, -1, says_later, &sayer) == 0);
  CHECK(loop_run(&w.loop) == 0);
  CHECK(!strcmp(w.trail, "a.ob"));
  for (int i = 0; i < 2; ++i) fd_close(po[i]);
  fd_close(pu[1]);
  end(&w);
}

static void gives_up(void *ctx) {
  struct echo *e = ctx;
  struct iodeadline io = {.fd = e->fd, .when = mono_now() + 10 * NS_PER_MS, .session = DEADLINE_NEVER};
  char c;

  CHECK(iodeadline_read(&io, &c, 1) == -1 && errno == ETIMEDOUT);
  note(e->w, 't');
  stop_if_last(e->w);
}

static void deadlines(void) {
  struct world w;
  struct echo e = {&w, -1, 0};
  int p[2];

  begin(&w);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0);
  e.fd = p[0];
  CHECK(task_start(&w.tasks, e.fd, gives_up, &e) == 0);
  CHECK(loop_run(&w.loop) == 0 && !strcmp(w.trail, "t"));
  for (int i = 0; i < 2; ++i) fd_close(p[i]);
  end(&w);
}

static pid_t sleeper(const char *seconds) {
  char *const argv[] = {(char *)(uintptr_t) "sleep", (char *)(uintptr_t)seconds, 0};
  struct spawn s = {.path = "sleep", .argv = argv};
  struct strerr e;

  return spawn_start(&s, &e);
}

static void waits_for_child(void *ctx) {
  struct world *w = ctx;
  pid_t pid = sleeper("0.01");
  int status = -1;

  CHECK(pid > 0 && wait_child(pid, deadline_in(5), &status) == 0 && status == 0);
  note(w, 'c');
  if (task_current()) stop_if_last(w);
}

static void children(void) {
  struct world w;
  pid_t pid = sleeper("5");
  int status;

  begin(&w);
  waits_for_child(&w); /* outside of tasks as well */
  CHECK(task_start(&w.tasks, -1, waits_for_child, &w) == 0 && w.tasks.running == 1);
  CHECK(loop_run(&w.loop) == 0 && !strcmp(w.trail, "cc"));
  CHECK(wait_child(pid, mono_now(), &status) == -1 && errno == ETIMEDOUT);
  CHECK(kill(pid, SIGKILL) == 0 && wait_child(pid, deadline_in(5), &status) == 0 && WTERMSIG(status) == SIGKILL);
  end(&w);
}

static void many_and_again(void) {
  struct world w;
  struct echo e[200];
  int p[200][2];
  char c;

  begin(&w);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 200; ++i) {
      CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, p[i]) == 0);
      e[i] = (struct echo){&w, p[i][0], '-'};
      CHECK(task_start(&w.tasks, e[i].fd, echo, &e[i]) == 0);
    }
    for (int i = 0; i < 200; ++i) CHECK(write(p[i][1], "x", 1) == 1 && shutdown(p[i][1], SHUT_WR) == 0);
    CHECK(w.tasks.running == 200 && loop_run(&w.loop) == 0);
    for (int i = 0; i < 200; ++i) {
      CHECK(read(p[i][1], &c, 1) == 1 && c == 'x');
      fd_close(p[i][1]);
    }
  }
  CHECK(w.tasks.idle_n > 0 && w.tasks.idle_n < 200);
  end(&w);
}

static void takes_its_time(void *ctx) {
  struct world *w = ctx;

  CHECK(!task_current());
  wait_until(mono_now() + 20 * NS_PER_MS);
  note(w, 'u');
}

static void goes_alone(void *ctx) {
  struct world *w = ctx;
  struct task *self = task_current();

  wait_until(mono_now() + 5 * NS_PER_MS);
  task_undivided(takes_its_time, w);
  CHECK(self && task_current() == self);
  note(w, 'a');
  stop_if_last(w);
}

static void at_its_side(void *ctx) {
  struct world *w = ctx;

  wait_until(mono_now() + 10 * NS_PER_MS); /* due while the other one takes its time */
  note(w, 's');
  stop_if_last(w);
}

static void undivided(void) {
  struct world w;

  begin(&w);
  CHECK(task_start(&w.tasks, -1, goes_alone, &w) == 0 && task_start(&w.tasks, -1, at_its_side, &w) == 0);
  CHECK(loop_run(&w.loop) == 0);
  CHECK_CASE(strstr(w.trail, "ua"), w.trail);
  end(&w);
}

int main(void) {
  take_turns();
  keeps_what_comes();
  deadlines();
  children();
  undivided();
  many_and_again();
  return check_done();
}
