/* keeper: see keeper.h. */
#include "net/keeper.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "net/fdpass.h"

int keeper_name_ok(const char *name) {
  size_t n = 0;

  for (; name[n]; ++n) {
    char c = name[n];
    int letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

    if (!letter && c != '-' && c != '.') return 0;
    if (c == '.' && (!n || name[n - 1] == '.' || !name[n + 1])) return 0;
  }
  return n > 0 && n <= KEEPER_NAME_MAX;
}

int keeper_path(const char *names, const char *name, stralloc *out) {
  if (!keeper_name_ok(name)) return 0;
  stralloc_cut(out, 0);
  return stralloc_catm(out, names, "/", name, ".pem", (char *)0) ? 1 : -1;
}

static int open_name(const char *names, const char *name) {
  stralloc path = STRALLOC_INIT;
  int found = keeper_path(names, name, &path);
  int fd = -1;

  if (found == 1) fd = fd_open_read(path.s);
  else errno = found == 0 ? ENOENT : ENOMEM;
  stralloc_free(&path);
  return fd;
}

static void serve(int sock, const char *path, const char *names) {
  char name[KEEPER_NAME_MAX + 2];

  for (;;) {
    ssize_t r = read(sock, name, sizeof name - 1);
    int fd, why;

    if (r == -1 && errno == EINTR) continue;
    if (r < 1) _exit(0);
    name[r] = 0; /* what is sent has a NUL itself */
    fd = *name ? open_name(names, name) : fd_open_read(path);
    why = fd == -1 ? errno : 0;
    if (fdpass_send(sock, &why, sizeof why, &fd, fd == -1 ? 0 : 1) == -1) _exit(111);
    fd_close(fd);
  }
}

int keeper_start(const char *path, const char *names, struct strerr *e) {
  int pair[2];
  pid_t pid;

  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
    return strerr_sys(e, "unable to make a socket", (char *)0);
  pid = fork();
  if (pid == 0) {
    close(pair[0]);
    prctl(PR_SET_NAME, "tlsd-keeper");
    /* The parent's stop and reload signals, sent to the group, are not for us: we go
     * when its socket goes. */
    signal(SIGHUP, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    serve(pair[1], path, names);
  }
  fd_close(pair[1]);
  if (pid != -1) return pair[0];
  strerr_sys(e, "unable to fork", (char *)0);
  return fd_close(pair[0]);
}

int keeper_open(int sock, const char *name) {
  int fd[FDPASS_MAX], why;
  size_t fds;
  ssize_t r;

  if (write(sock, name, strlen(name) + 1) != (ssize_t)strlen(name) + 1) return -1;
  r = fdpass_recv(sock, &why, sizeof why, fd, &fds);
  if (r == -1) return -1;
  if (r == (ssize_t)sizeof why && fds == 1) return fd[0];
  errno = r == (ssize_t)sizeof why && why ? why : EPROTO;
  while (fds) fd_close(fd[--fds]);
  return -1;
}
