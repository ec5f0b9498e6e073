/* worker: see worker.h. */
#include "local/worker.h"

#include <unistd.h>

#include "base/fd.h"
#include "local/delivery.h"
#include "net/fdpass.h"
#include "queue/worker_proto.h"

static int deliver(const char *const field[WORKER_LOCAL_FIELDS], int message, const struct conf *conf, struct lookup *lookup) {
  struct delivery_job job = {.user = field[0], .home = field[1], .local = field[2], .dash = field[3], .ext = field[4],
                             .host = field[5], .sender = field[6], .defaultdelivery = field[7], .extra = field[8],
                             .message = message, .lookup = lookup};
  struct strerr e;
  int code = delivery_run(&job, conf, &e);

  if (code && e.text[0]) strerr_warn("", &e);
  return code;
}

int worker_serve(int sock, const struct conf *conf) {
  static char buf[WORKER_JOB_MAX];
  struct lookup lookup = LOOKUP_INIT;

  for (;;) {
    const char *field[WORKER_LOCAL_FIELDS];
    int fd[FDPASS_MAX];
    size_t fds;
    unsigned char code = 111;
    ssize_t n;

    /* Between jobs 1 and 2 hold no pipe open, and are never free for what comes. */
    if (dup2(sock, 1) == -1 || dup2(sock, 2) == -1) return 111;
    n = fdpass_recv(sock, buf, sizeof buf, fd, &fds);
    if (n <= 0) return n == 0 ? 0 : 111;
    if (fds == 2 && worker_job_parse(buf, (size_t)n, field, WORKER_LOCAL_FIELDS) == WORKER_LOCAL_FIELDS &&
        dup2(fd[1], 1) != -1 && dup2(fd[1], 2) != -1)
      code = (unsigned char)deliver(field, fd[0], conf, &lookup);
    for (size_t i = 0; i < fds; ++i) fd_close(fd[i]);
    if (dup2(sock, 1) == -1 || dup2(sock, 2) == -1) return 111; /* the spawner waits for the end of the pipe */
    if (chdir("/") == -1 || worker_answer(sock, code, "", 0) == -1) return 111;
  }
}
