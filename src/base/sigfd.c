/* sigfd: see sigfd.h. */
#include "base/sigfd.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fd.h"

int sigfd_open(int sig, ...) {
  sigset_t set;
  va_list ap;

  sigemptyset(&set);
  va_start(ap, sig);
  for (; sig; sig = va_arg(ap, int)) sigaddset(&set, sig);
  va_end(ap);
  if (sigprocmask(SIG_BLOCK, &set, 0) == -1) return -1;
  return fd_above(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

int sigfd_next(int fd) {
  struct signalfd_siginfo info;
  ssize_t r;

  do r = read(fd, &info, sizeof info);
  while (r == -1 && errno == EINTR);
  if (r == sizeof info) return (int)info.ssi_signo;
  return r == -1 && errno == EAGAIN ? 0 : -1;
}

void sig_hold(uint32_t bits) {
  sigset_t set;

  sigemptyset(&set);
  for (int sig = 1; sig < 32; ++sig)
    if (bits & SIG_BIT(sig)) sigaddset(&set, sig);
  sigprocmask(SIG_SETMASK, &set, 0);
}

void sig_ignore_pipe(void) {
  signal(SIGPIPE, SIG_IGN);
}
