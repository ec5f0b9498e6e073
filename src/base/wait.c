/* wait: see wait.h. */
#include "base/wait.h"

#include <errno.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/spawn.h"
#include "base/task.h"

static struct {
  int on, fd;
  void (*fn)(void *ctx);
  void *ctx;
} also;

void wait_also(int fd, void (*fn)(void *ctx), void *ctx) {
  also.on = fd != -1;
  also.fd = fd;
  also.fn = fn;
  also.ctx = ctx;
}

int wait_for_one(void) {
  return !also.on && !task_current();
}

/* fd -1: only the time. */
static int poll_until(int fd, short events, deadline when) {
  struct pollfd p[] = {{.fd = fd, .events = events}, {.fd = also.on ? also.fd : -1, .events = POLLIN}};

  for (;;) {
    int r = poll(p, 2, deadline_poll_ms(when, mono_now()));

    if (r > 0 && p[1].revents) also.fn(also.ctx);
    if (r > 0 && p[0].revents) return 0;
    if (r == -1 && errno != EINTR) return -1;
    if (r == 0 && mono_now() >= when) {
      errno = ETIMEDOUT;
      return -1;
    }
  }
}

int wait_fd(int fd, short events, deadline when) {
  return task_current() ? task_wait(fd, events, when) : poll_until(fd, events, when);
}

void wait_until(deadline when) {
  if (task_current()) (void)!task_wait(-1, 0, when);
  else (void)!poll_until(-1, 0, when);
}

void wait_turn(void) {
  if (task_current()) (void)!task_wait(-1, 0, mono_now());
}

int wait_child(pid_t pid, deadline when, int *status) {
  int fd = (int)syscall(SYS_pidfd_open, pid, 0);
  int r = fd == -1 ? -1 : wait_fd(fd, POLLIN, when);

  fd_close(fd);
  if (r == -1) return -1;
  *status = spawn_wait(pid);
  return *status == -1 ? -1 : 0;
}

int wait_child_or_end(pid_t pid, deadline when) {
  int status;

  if (wait_child(pid, when, &status) == 0) return spawn_code(status);
  spawn_kill(pid);
  (void)!spawn_wait(pid);
  return -1;
}

void wait_forget(int fd) {
  if (task_current()) task_forget(fd);
}
