/* idn: see idn.h. */
#include "smtp/idn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/spawn.h"
#include "base/wait.h"
#include "conf/paths.h"
#include "mail/smtp_syntax.h"

static pid_t start(char *name, int output, struct strerr *e) {
  stralloc program = STRALLOC_INIT;
  char *argv[] = {0, name, 0};
  struct spawn s = {.argv = argv};
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  pid_t pid = -1;

  strerr_set(e, "unable to run qmail-idn", (char *)0);
  if (null != -1 && paths_program("qmail-idn", &program)) {
    s.path = argv[0] = program.s;
    spawn_move(&s, null, 0);
    spawn_move(&s, output, 1);
    spawn_move(&s, null, 2);
    pid = spawn_start(&s, e);
  }
  fd_close(null);
  stralloc_free(&program);
  return pid;
}

/* What it prints is short, and comes in one write. */
static int read_answer(int fd, stralloc *out, deadline until) {
  char buf[SMTP_DOMAIN_MAX + 1];
  ssize_t n;

  if (wait_fd(fd, POLLIN, until) == -1) return 0;
  do n = read(fd, buf, sizeof buf);
  while (n == -1 && errno == EINTR);
  return n > 1 && buf[n - 1] == '\n' && smtp_is_domain(buf, (size_t)n - 1) && stralloc_copyb(out, buf, (size_t)n - 1);
}

static enum idn ask(char *name, const int p[2], stralloc *out, deadline until, struct strerr *e) {
  pid_t pid = start(name, p[1], e);
  int status, answered;

  fd_close(p[1]);
  if (pid == -1) return IDN_TEMPFAIL;
  answered = read_answer(p[0], out, until);
  wait_forget(p[0]);
  if (wait_child(pid, until, &status) == -1) {
    spawn_kill(pid);
    status = spawn_wait(pid);
  }
  if (spawn_code(status) == 100) return IDN_NO_NAME;
  if (answered && spawn_code(status) == 0) return IDN_OK;
  strerr_set(e, "qmail-idn failed", (char *)0);
  return IDN_TEMPFAIL;
}

enum idn idn_ascii(const char *name, size_t n, stralloc *out, deadline until, struct strerr *e) {
  stralloc copy = STRALLOC_INIT;
  enum idn r = IDN_TEMPFAIL;
  int p[2];

  if (!stralloc_copyb(&copy, name, n) || fd_pipe(p) == -1) {
    strerr_sys(e, "unable to run qmail-idn", (char *)0);
  } else {
    r = ask(copy.s, p, out, until, e);
    fd_close(p[0]);
  }
  stralloc_free(&copy);
  return r;
}
