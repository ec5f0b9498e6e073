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

/* What is asked for is not looked at: there is one file. */
static void serve(int sock, const char *path) {
  char byte;

  for (;;) {
    ssize_t r = read(sock, &byte, 1);
    int fd, why;

    if (r == -1 && errno == EINTR) continue;
    if (r != 1) _exit(0);
    fd = fd_open_read(path);
    why = fd == -1 ? errno : 0;
    if (fdpass_send(sock, &why, sizeof why, &fd, fd == -1 ? 0 : 1) == -1) _exit(111);
    fd_close(fd);
  }
}

int keeper_start(const char *path, struct strerr *e) {
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
    serve(pair[1], path);
  }
  fd_close(pair[1]);
  if (pid != -1) return pair[0];
  strerr_sys(e, "unable to fork", (char *)0);
  return fd_close(pair[0]);
}

int keeper_open(int sock) {
  int fd[FDPASS_MAX], why;
  size_t fds;
  ssize_t r;

  if (write(sock, "", 1) != 1) return -1;
  r = fdpass_recv(sock, &why, sizeof why, fd, &fds);
  if (r == -1) return -1;
  if (r == (ssize_t)sizeof why && fds == 1) return fd[0];
  errno = r == (ssize_t)sizeof why && why ? why : EPROTO;
  while (fds) fd_close(fd[--fds]);
  return -1;
}
