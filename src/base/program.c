/* program: see program.h. */
#include "base/program.h"

#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/wait.h"

#define PIPE_HOLDS 65536
#define LOOK_AFTER (50 * NS_PER_MS) /* whether one that says nothing more has ended, and another keeps its pipe */

static size_t limit; /* 0: none */

void program_limit(size_t bytes) {
  limit = bytes;
}

struct program {
  pid_t pid;
  int report, output; /* what we read, or -1 */
  stralloc *said;     /* to the report */
  size_t max, kept;
  int failed; /* errno of reading the report, or 0 */
};

static int is_moved(const struct spawn *s, int to) {
  for (size_t i = 0; i < s->moves; ++i)
    if (s->move[i].to == to) return 1;
  return 0;
}

static void move_output(struct spawn *s, int to, int pipe) {
  if (!is_moved(s, to)) spawn_move(s, pipe == -1 ? to : pipe, to);
}

static int start(struct program *p, struct spawn *s, int report, struct strerr *e) {
  int to_report[2] = {-1, -1}, to_output[2] = {-1, -1};

  p->pid = -1;
  if ((report && (fd_pipe(to_report) == -1 || fd_nonblock(to_report[0]) == -1)) ||
      (limit && (fd_pipe(to_output) == -1 || fd_nonblock(to_output[0]) == -1))) {
    strerr_sys(e, "unable to run ", s->path, (char *)0);
  } else {
    if (report) spawn_move(s, to_report[1], 1);
    move_output(s, 1, to_output[1]);
    move_output(s, 2, to_output[1]);
    p->pid = spawn_start(s, e);
  }
  fd_close(to_report[1]);
  fd_close(to_output[1]);
  p->report = to_report[0];
  p->output = to_output[0];
  return p->pid == -1 ? -1 : 0;
}

static ssize_t read_some(int *fd, char *buf, size_t n) {
  ssize_t r;

  do r = read(*fd, buf, n);
  while (r == -1 && errno == EINTR);
  if (r == 0 || (r == -1 && errno != EAGAIN)) *fd = fd_close(*fd);
  return r;
}

/* All that is there. */
static void read_report(struct program *p) {
  char buf[4096];
  ssize_t n;

  while (p->report != -1 && (n = read_some(&p->report, buf, sizeof buf)) > 0) {
    if (p->said->len + (size_t)n <= p->max && stralloc_catb(p->said, buf, (size_t)n)) continue;
    p->failed = p->said->len + (size_t)n > p->max ? EFBIG : ENOMEM;
    p->report = fd_close(p->report); /* so that it does not wait for us for ever */
  }
}

/* What a pipe holds, at most: who prints without end must not keep us from looking at the time. */
static void read_output(struct program *p) {
  char buf[4096];

  for (size_t had = 0; p->output != -1 && had < PIPE_HOLDS;) {
    ssize_t n = read_some(&p->output, buf, sizeof buf);
    size_t room = limit - p->kept;

    if (n <= 0) return;
    had += (size_t)n;
    if ((size_t)n < room) room = (size_t)n;
    if (room) (void)!fd_write_all(1, buf, room);
    p->kept += room;
  }
}

/* Until it has ended: 0, or -1 with errno. */
static int watch(struct program *p, deadline when) {
  int ended = (int)syscall(SYS_pidfd_open, p->pid, 0);
  int r = ended == -1 ? -1 : 0, over = 0;

  while (r == 0 && !over) {
    struct pollfd on[] = {{.fd = ended, .events = POLLIN}, {.fd = p->report, .events = POLLIN}, {.fd = p->output, .events = POLLIN}};
    int got = poll(on, 3, deadline_poll_ms(when, mono_now()));

    if (got == -1 && errno != EINTR) r = -1;
    if (got == 0 && mono_now() >= when) {
      errno = ETIMEDOUT;
      r = -1;
    }
    if (got <= 0) continue;
    if (on[1].revents) read_report(p);
    if (on[2].revents) read_output(p);
    over = on[0].revents != 0;
  }
  fd_close(ended);
  return r;
}

static int finish(struct program *p, const char *path, deadline when, struct strerr *e) {
  int r = watch(p, when), why = errno, status;

  if (r == -1) spawn_kill(p->pid);
  status = spawn_wait(p->pid);
  read_report(p);
  read_output(p);
  errno = r == -1 ? why : p->failed ? p->failed : errno;
  return r == -1 || p->failed || status == -1 ? strerr_sys(e, "unable to run ", path, (char *)0) : spawn_code(status);
}

int program_run(struct spawn *s, stralloc *report, size_t max, deadline when, struct strerr *e) {
  struct program p = {.said = report, .max = max};
  int code = start(&p, s, report != 0, e) == -1 ? -1 : finish(&p, s->path, when, e);

  fd_close(p.report);
  fd_close(p.output);
  return code;
}

static int has_ended(int pidfd) {
  struct pollfd p = {.fd = pidfd, .events = POLLIN};

  return poll(&p, 1, 0) == 1;
}

/* What there is, of which what still has room is kept: 1, 0 at the end or where nothing is there, -1 with errno. */
static int take_answer(int fd, stralloc *answer, size_t max) {
  char buf[4096];
  size_t room = max - answer->len;
  ssize_t n;

  do n = read(fd, buf, sizeof buf);
  while (n == -1 && errno == EINTR);
  if (n <= 0) return n == 0 || errno == EAGAIN ? 0 : -1;
  if (stralloc_catb(answer, buf, (size_t)n < room ? (size_t)n : room)) return 1;
  errno = ENOMEM;
  return -1;
}

/* Until nobody can write any more, or the program has ended, or the deadline: 0, or -1 with errno. */
static int hear(pid_t pid, int fd, stralloc *answer, size_t max, deadline when) {
  int ended = (int)syscall(SYS_pidfd_open, pid, 0), r = ended == -1 ? -1 : 1;

  while (r == 1 && mono_now() < when) {
    deadline look = mono_now() + LOOK_AFTER;

    if (has_ended(ended) || wait_fd(fd, POLLIN, look < when ? look : when) == 0) r = take_answer(fd, answer, max);
    else if (errno != ETIMEDOUT) r = -1;
  }
  fd_close(ended);
  wait_forget(fd);
  return r == -1 ? -1 : 0;
}

int program_ask(struct spawn *s, int fd, stralloc *answer, size_t max, deadline when, struct strerr *e) {
  int p[2] = {-1, -1}, code = -1;
  pid_t pid = -1;

  if (answer) stralloc_cut(answer, 0);
  if (answer && (fd_pipe(p) == -1 || fd_nonblock(p[0]) == -1)) {
    strerr_sys(e, "unable to run ", s->path, (char *)0);
  } else {
    if (answer) spawn_move(s, p[1], fd);
    pid = spawn_start(s, e);
  }
  fd_close(p[1]);
  if (pid != -1) {
    int heard = answer ? hear(pid, p[0], answer, max, when) : 0, why = errno;

    code = wait_child_or_end(pid, heard == -1 ? mono_now() : when);
    errno = why;
    if (heard == -1) code = strerr_sys(e, "unable to read from ", s->path, (char *)0);
    else if (code == -1) strerr_set(e, s->path, " took too long", (char *)0);
  }
  fd_close(p[0]);
  return code;
}
