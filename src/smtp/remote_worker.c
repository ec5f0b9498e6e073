/* remote_worker: see remote_worker.h. */
#include "smtp/remote_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "net/fdpass.h"
#include "queue/spawn_proto.h"
#include "queue/worker_proto.h"
#include "smtp/remote.h"

#define FIELDS_MAX (WORKER_REMOTE_FIELDS + 2 * SPAWN_RECIPIENTS_MAX)
#define LOOK_SECONDS 1 /* so often at most the control files are looked at */

struct settings {
  struct conf conf;
  int ok; /* loaded, and valid */
  struct strerr e;
  uint64_t stamp;
  deadline look;
};

/* As one run of qmail-remote would read them, give or take a second. */
static void refresh(struct settings *s, struct remote_keeper *k) {
  uint64_t stamp;

  if (mono_now() < s->look) return;
  s->look = deadline_in(LOOK_SECONDS);
  stamp = conf_stamp(CONF_REMOTE, 0);
  if (s->ok && stamp == s->stamp) return;
  remote_keeper_forget(k);
  conf_free(&s->conf);
  s->ok = conf_load(&s->conf, CONF_REMOTE, &s->e) == 0;
  s->stamp = stamp;
  if (!s->ok) s->look = 0;
}

/* Wait for a job, or the end; meanwhile give up the connection when its time is over, or the
 * server does. */
static void wait_for_job(int sock, struct remote_keeper *k) {
  while (k->open) {
    struct pollfd p[2] = {{.fd = sock, .events = POLLIN}, {.fd = k->c.fd, .events = POLLIN}};
    int n = poll(p, 2, deadline_poll_ms(k->until, mono_now()));

    if (n == -1 && errno == EINTR) continue;
    if (n <= 0 || p[1].revents) remote_keeper_quit(k);
    if (p[0].revents) return;
  }
}

static int deliver(const char *const *field, size_t n, int message, struct settings *s, struct remote_keeper *k,
                   stralloc *report) {
  const char *recipient[SPAWN_RECIPIENTS_MAX], *notify[SPAWN_RECIPIENTS_MAX];
  struct remote_job job = {.host = field[0], .sender = field[1], .extra = field[2], .dsn = field[3], .recipient = recipient,
                           .notify = notify, .recipients = (n - WORKER_REMOTE_FIELDS) / 2, .message = message};

  for (size_t i = 0; i < job.recipients; ++i) {
    recipient[i] = field[WORKER_REMOTE_FIELDS + 2 * i];
    notify[i] = field[WORKER_REMOTE_FIELDS + 2 * i + 1];
  }
  refresh(s, k);
  stralloc_cut(report, 0);
  return s->ok ? remote_deliver(&job, &s->conf, k, report) : remote_bad_settings(report, &s->e);
}

/* What we start (qmail-tlsd) must not hold the socket: our end is the spawner's sign that we died. */
static int own_socket(int sock) {
  int own = fcntl(sock, F_DUPFD_CLOEXEC, 3);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);

  if (own == -1 || null == -1 || dup2(null, 0) == -1 || dup2(null, 1) == -1) return -1;
  if (null > 2) fd_close(null);
  return own;
}

int remote_worker_serve(int sock) {
  static char buf[WORKER_JOB_MAX];
  static const char *field[FIELDS_MAX];
  static struct remote_keeper k = REMOTE_KEEPER_INIT;
  struct settings s = {.ok = 0};
  stralloc report = STRALLOC_INIT;

  sock = own_socket(sock);
  if (sock == -1) return 111;
  for (;;) {
    int fd[FDPASS_MAX];
    size_t fds, fields;
    int answered;
    ssize_t n;

    wait_for_job(sock, &k);
    n = fdpass_recv(sock, buf, sizeof buf, fd, &fds);
    if (n <= 0) break;
    fields = worker_job_parse(buf, (size_t)n, field, FIELDS_MAX);
    if (fds == 1 && fields > WORKER_REMOTE_FIELDS && (fields - WORKER_REMOTE_FIELDS) % 2 == 0 &&
        deliver(field, fields, fd[0], &s, &k, &report) == 0)
      answered = worker_answer(sock, 0, stralloc_cstr(&report), report.len);
    else answered = worker_answer(sock, 111, "", 0);
    while (fds) fd_close(fd[--fds]);
    if (answered == -1) break;
  }
  remote_keeper_forget(&k);
  return 0;
}
