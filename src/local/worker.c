/* worker: see worker.h. */
#include "local/worker.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/program.h"
#include "base/spawn.h"
#include "local/delivery.h"
#include "net/fdpass.h"
#include "queue/worker_proto.h"

#define WORKER_OUTPUT 3000 /* bytes of it that reach the log */

static int deliver(const char *const field[WORKER_LOCAL_FIELDS], int message, const struct conf *conf, struct lookup *lookup) {
  struct delivery_job job = {.user = field[0], .home = field[1], .local = field[2], .dash = field[3], .ext = field[4],
                             .host = field[5], .sender = field[6], .defaultdelivery = field[7], .extra = field[8],
                             .messid = field[9], .dsn = field[10], .notify = field[11], .message = message, .lookup = lookup};
  struct strerr e;
  int code = delivery_run(&job, conf, &e);

  if (code && e.text[0]) strerr_warn("", &e);
  return code;
}

/* Where what a job prints is kept until it is over: in memory, appended to.  After a job that started a program
 * there is another one, for what that left behind must not speak into it. */
static int fresh_output(unsigned long *asked) {
  int fd, ok;

  if (*asked == spawn_asked() && ftruncate(1, 0) == 0) return 1;
  *asked = spawn_asked();
  fd = memfd_create("output", MFD_CLOEXEC);
  ok = fd != -1 && fcntl(fd, F_SETFL, O_APPEND) == 0 && dup2(fd, 1) != -1 && dup2(fd, 2) != -1;
  fd_close(fd);
  return ok;
}

static int answer(int sock, unsigned char code) {
  char output[WORKER_OUTPUT];
  ssize_t n = pread(1, output, sizeof output, 0);

  return worker_answer(sock, code, output, n > 0 ? (size_t)n : 0);
}

int worker_serve(int sock, const struct conf *conf) {
  static char buf[WORKER_JOB_MAX];
  struct lookup lookup = LOOKUP_INIT;
  unsigned long asked = ULONG_MAX; /* of the first output nothing is known */

  program_limit(WORKER_OUTPUT);
  for (;;) {
    const char *field[WORKER_LOCAL_FIELDS];
    int fd[FDPASS_MAX];
    size_t fds;
    unsigned char code = 111;
    ssize_t n = fdpass_recv(sock, buf, sizeof buf, fd, &fds);

    if (n <= 0) return n == 0 ? 0 : 111;
    if (!fresh_output(&asked)) return 111;
    if (fds == 1 && worker_job_parse(buf, (size_t)n, field, WORKER_LOCAL_FIELDS) == WORKER_LOCAL_FIELDS)
      code = (unsigned char)deliver(field, fd[0], conf, &lookup);
    for (size_t i = 0; i < fds; ++i) fd_close(fd[i]);
    if (chdir("/") == -1 || answer(sock, code) == -1) return 111;
  }
}
