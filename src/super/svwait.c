/* svwait: see svwait.h. */
#include "super/svwait.h"

#include <errno.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fd.h"

static int reached(const char *dir, char what, const struct svstatus *since, struct strerr *e) {
  struct svstatus st;

  if (sv_status(dir, &st, e) == -1) return -1;
  if (what == 'd') return st.pid == 0;
  return st.up && (!since || st.pid != since->pid || st.since.sec != since->since.sec ||
                   st.since.nano != since->since.nano);
}

static int watch(const char *dir, struct strerr *e) {
  stralloc p = STRALLOC_INIT;
  int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

  if (fd != -1 && (!stralloc_catm(&p, dir, "/supervise", (char *)0) ||
                   inotify_add_watch(fd, p.s, IN_MOVED_TO) == -1))
    fd = fd_close(fd);
  stralloc_free(&p);
  return fd == -1 ? strerr_sys(e, "unable to watch ", dir, "/supervise", (char *)0) : fd;
}

int sv_wait(const char *dir, char what, const struct svstatus *since, deadline when,
            struct strerr *e) {
  char events[4096];
  int fd = watch(dir, e);
  int r;

  if (fd == -1) return -1;
  while ((r = reached(dir, what, since, e)) == 0) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int ms = deadline_poll_ms(when, mono_now());

    if (ms == 0) break;
    if (poll(&p, 1, ms) == -1 && errno != EINTR) {
      r = strerr_sys(e, "unable to wait", (char *)0);
      break;
    }
    while (read(fd, events, sizeof events) > 0) {
    }
  }
  fd_close(fd);
  return r;
}
