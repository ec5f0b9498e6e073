/* accept: see accept.h. */
#include "queue/accept.h"

#include <errno.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/now.h"
#include "base/substdio.h"
#include "mail/date.h"
#include "queue/envelope.h"
#include "queue/exitcodes.h"
#include "queue/transition.h"

#define COPY_SIZE 32768

static int received(const struct accept_request *r, uint64_t id, int64_t now, stralloc *out) {
  char date[DATE_TEXT];

  date_fmt(date, now, "-0000");
  return stralloc_copylit(out, "Received: indimail-mta queue ") && stralloc_catu64(out, r->qp) &&
         (!r->host || stralloc_catm(out, " by host ", r->host, (char *)0)) &&
         stralloc_catlit(out, "\n  (invoked by uid ") && stralloc_catu64(out, r->uid) &&
         stralloc_catlit(out, ", id ") && stralloc_catu64(out, id) &&
         stralloc_catm(out, "); ", date, "\n", (char *)0);
}

/* The Received field and the message into fd; *size counts all bytes. */
static int copy_message(const struct accept_request *r, const stralloc *head, int fd, uint64_t *size) {
  char inbuf[COPY_SIZE];
  char outbuf[COPY_SIZE];
  substdio in, out;

  substdio_initfd_read(&in, r->message, inbuf, sizeof inbuf);
  substdio_initfd_write(&out, fd, outbuf, sizeof outbuf);
  if (substdio_put(&out, head->s, head->len) == -1) return QQ_write;
  *size = head->len;
  for (;;) {
    ssize_t n = substdio_feed(&in);

    if (n < 0) return QQ_read;
    if (n == 0) break;
    if (substdio_put(&out, substdio_peek(&in), (size_t)n) == -1) return QQ_write;
    substdio_take(&in, (size_t)n);
    *size += (uint64_t)n;
  }
  return substdio_flush(&out) == -1 ? QQ_write : QQ_queued;
}

static int wire_code(enum envelope_wire w) {
  switch (w) {
    case WIRE_END: return QQ_queued;
    case WIRE_MORE: return QQ_read; /* the sender gave up: no final NUL */
    case WIRE_LONG: return QQ_address_long;
    case WIRE_BAD: return QQ_envelope;
    case WIRE_NOMEM: return QQ_memory;
  }
  return QQ_bug;
}

static int read_envelope(int fd, struct envelope *env) {
  struct envelope_reader reader = {0};
  enum envelope_wire w = WIRE_MORE;
  char buf[4096];

  while (w == WIRE_MORE) {
    size_t used;
    ssize_t n;

    do n = read(fd, buf, sizeof buf);
    while (n == -1 && errno == EINTR);
    if (n <= 0) break;
    w = envelope_read(&reader, env, buf, (size_t)n, &used);
  }
  envelope_reader_free(&reader);
  return wire_code(w);
}

static int store(const struct accept_request *r, uint64_t id, int fd, struct envelope *env) {
  stralloc head = STRALLOC_INIT;
  int code;

  env->uid = r->uid;
  env->qp = r->qp;
  env->birth = (uint64_t)wall_now();
  if (!received(r, id, (int64_t)env->birth, &head)) code = QQ_memory;
  else code = copy_message(r, &head, fd, &env->size);
  stralloc_free(&head);
  if (code == QQ_queued) code = read_envelope(r->envelope, env);
  if (code == QQ_queued && queue_commit(id, fd, env, &code) == -1) return code;
  return code;
}

int accept_message(const struct accept_request *r, uint64_t *id) {
  struct envelope env = {0};
  int fd = queue_create(id);
  int code;

  if (fd == -1) return errno == ENOSPC || errno == EDQUOT ? QQ_write : QQ_mess_file;
  code = store(r, *id, fd, &env);
  if (close(fd) == -1 && code == QQ_queued) code = QQ_write;
  if (code == QQ_queued) queue_announce(*id);
  else queue_abandon(*id);
  envelope_free(&env);
  return code;
}
