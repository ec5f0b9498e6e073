/* qmail-nullqueue: looks like qmail-queue, but reads message and envelope to their ends and
 * throws them away. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/sigfd.h"
#include "queue/exitcodes.h"

#define DEATH 86400

static void die_timer(int sig) {
  (void)sig;
  _exit(QQ_timer);
}

static int swallow(int fd) {
  char buf[65536];
  ssize_t n;

  while ((n = read(fd, buf, sizeof buf)) != 0)
    if (n == -1 && errno != EINTR) return QQ_read;
  return QQ_queued;
}

int main(void) {
  int code;

  sig_ignore_pipe();
  signal(SIGALRM, die_timer);
  alarm(DEATH);
  code = swallow(0);
  return code == QQ_queued ? swallow(1) : code;
}
