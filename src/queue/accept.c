/* accept: see accept.h. */
#include "queue/accept.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/now.h"
#include "mail/date.h"
#include "mail/dsn.h"
#include "queue/crc32.h"
#include "queue/exitcodes.h"
#include "queue/messid.h"
#include "queue/queuepath.h"
#include "queue/scanner.h"
#include "queue/transition.h"

#define COPY_SIZE 32768

/* Its id in logs. */
static const char *name_of(const struct accept *a, char buf[MESSID_SIZE]) {
  return messid_of(a->env.messid.len ? a->env.messid.s : 0, a->id, buf);
}

static int received(const struct accept *a, const struct accept_origin *o, stralloc *out) {
  char date[DATE_TEXT], messid[MESSID_SIZE];

  date_fmt(date, (int64_t)a->env.birth, "-0000");
  return stralloc_copylit(out, "Received: indimail-mta queue ") && stralloc_catu64(out, a->env.qp) &&
         (!o->host || stralloc_catm(out, " by host ", o->host, (char *)0)) &&
         stralloc_catlit(out, "\n  (invoked by uid ") && stralloc_catu64(out, o->uid) &&
         stralloc_catm(out, ", id ", name_of(a, messid), "); ", date, "\n", (char *)0) && (!o->extras || stralloc_cat(out, &o->extras->head));
}

/* The file, and who sent it. */
static int begin(struct accept *a, const struct accept_origin *o, uint64_t beside) {
  memset(a, 0, sizeof *a);
  a->id = beside;
  a->fd = beside ? queue_create_beside(&a->id) : queue_create(&a->id);
  if (a->fd == -1) return errno == ENOSPC || errno == EDQUOT ? QQ_write : QQ_mess_file;
  a->env.uid = o->uid;
  a->env.qp = o->qp ? o->qp : a->id;
  a->env.birth = (uint64_t)wall_now();
  a->extras = o->extras;
  a->filtering = extras_filter(o->extras, &a->filter);
  if (o->messid && messid_valid(o->messid, strlen(o->messid)) && !stralloc_copys(&a->env.messid, o->messid)) return QQ_memory;
  return QQ_queued;
}

int accept_begin(struct accept *a, const struct accept_origin *o) {
  stralloc head = STRALLOC_INIT;
  int code = begin(a, o, 0);

  if (code != QQ_queued) return code;
  code = received(a, o, &head) ? accept_put(a, head.s, head.len) : QQ_memory;
  stralloc_free(&head);
  return code;
}

int accept_put(struct accept *a, const char *s, size_t n) {
  if (fd_write_all(a->fd, s, n) == -1) return QQ_write;
  a->env.size += n;
  a->env.checksum = crc32((uint32_t)a->env.checksum, s, n);
  return QQ_queued;
}

int accept_commit(struct accept *a) {
  int code = QQ_queued;

  if (queue_commit(a->id, a->fd, &a->env, &code) == -1) return code;
  a->fd = fd_close(a->fd); /* and with it the lock: who looks through the queue without having been told must find it */
  queue_announce(a->id);
  return QQ_queued;
}

void accept_abandon(struct accept *a) {
  if (a->fd != -1) queue_abandon(a->id);
}

void accept_free(struct accept *a) {
  a->fd = fd_close(a->fd);
  envelope_free(&a->env);
  header_filter_free(&a->filter);
  stralloc_free(&a->kept);
}

/* What remains of a piece of the message is stored; s null: the message is over. */
static int put_filtered(struct accept *a, const char *s, size_t n) {
  int ok;

  if (!a->filtering || (s && header_filter_done(&a->filter))) return n ? accept_put(a, s, n) : QQ_queued;
  stralloc_cut(&a->kept, 0);
  ok = s ? header_filter_feed(&a->filter, s, n, &a->kept) : header_filter_end(&a->filter, &a->kept);
  if (!ok) return QQ_memory;
  return a->kept.len ? accept_put(a, a->kept.s, a->kept.len) : QQ_queued;
}

/* What the scanner says of the message: a mark in its header, refusal, another recipient, or
 * (*drop) the end of it. */
static int judge(struct accept *a, const char **instead, int *drop) {
  const struct conf *conf = a->extras->conf;
  enum scan_verdict verdict;
  char path[QUEUE_PATH], messid[MESSID_SIZE];
  int code;

  queuepath(path, QUEUE_mess, a->id);
  code = scanner_run(conf, path, a->env.size, name_of(a, messid), &verdict);
  if (code != QQ_queued || verdict == SCAN_NONE) return code;
  if (!stralloc_cats(&a->env.extra, verdict == SCAN_CLEAN ? "X-QHPSI: clean\n" : "X-QHPSI: Virus found\n")) return QQ_memory;
  if (verdict == SCAN_CLEAN) return QQ_queued;
  if (a->extras->rejectvirus == 1) return QQ_virus;
  *drop = a->extras->rejectvirus == 2;
  *instead = a->extras->virusforward;
  return QQ_queued;
}

static int apply_extras(struct accept *a, const char *instead) {
  if (!a->extras || !a->extras->conf) return QQ_queued;
  if (!extras_apply(a->extras, &a->filter, instead, &a->env)) return QQ_memory;
  if (a->env.extra.len > ENVELOPE_LINES_MAX) return QQ_envelope; /* QQEH is a novel */
  if (a->env.recipients.len > ENVELOPE_RECIPIENTS_MAX) return QQ_refused; /* with copies for archives */
  extras_log(a->extras, &a->filter);
  return QQ_queued;
}

static int copy_message(struct accept *a, int fd) {
  char buf[COPY_SIZE];
  size_t have = 0;
  int code = QQ_queued;

  /* Pipes give little at a time: gather, so that each write is worth its call. */
  while (code == QQ_queued) {
    ssize_t n = read(fd, buf + have, sizeof buf - have);

    if (n == -1 && errno == EINTR) continue;
    if (n == -1) return QQ_read;
    have += (size_t)n;
    if (n && have < sizeof buf) continue;
    if (have) code = put_filtered(a, buf, have);
    have = 0;
    if (!n) return code == QQ_queued ? put_filtered(a, 0, 0) : code;
  }
  return code;
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

/* The envelope came whole: what its DSN parameters say must be such. */
static int check_dsn(const struct envelope *env) {
  struct dsn_mail mail;
  struct dsn_rcpt rcpt;

  if (!dsn_mail_parse(stralloc_cstr(&env->dsn), env->dsn.len, &mail)) return QQ_envelope;
  for (size_t i = 0; i < env->notify.len; ++i)
    if (!dsn_rcpt_parse(stralloc_cstr(&env->notify.item[i]), env->notify.item[i].len, &rcpt)) return QQ_envelope;
  return QQ_queued;
}

int accept_read_envelope(struct envelope *env, int fd) {
  struct envelope_reader reader = {0};
  enum envelope_wire w = WIRE_MORE;
  char buf[4096];
  size_t total = 0;
  int fits = 1;

  while (w == WIRE_MORE && fits) {
    size_t used;
    ssize_t n = read(fd, buf, sizeof buf);

    if (n == -1 && errno == EINTR) continue;
    if (n <= 0) break;
    w = envelope_read(&reader, env, buf, (size_t)n, &used);
    total += (size_t)n;
    fits = total <= ENVELOPE_BYTES_MAX && env->recipients.len <= ENVELOPE_RECIPIENTS_MAX;
  }
  envelope_reader_free(&reader);
  if (!fits) return QQ_refused;
  return w == WIRE_END ? check_dsn(env) : wire_code(w);
}

static int finish(struct accept *a, int code, int drop) {
  if (code == QQ_queued && !drop) code = accept_commit(a);
  if (code != QQ_queued || drop) accept_abandon(a);
  accept_free(a);
  return code;
}

int accept_from_descriptors(const struct accept_origin *o, int message, int envelope) {
  struct accept a;
  const char *instead = 0;
  int drop = 0;
  int code = accept_begin(&a, o);

  if (code == QQ_queued) code = copy_message(&a, message);
  if (code == QQ_queued) code = accept_read_envelope(&a.env, envelope);
  if (code == QQ_queued && o->extras && o->extras->conf) code = judge(&a, &instead, &drop);
  if (code == QQ_queued) code = apply_extras(&a, instead);
  return finish(&a, code, drop);
}

static int filter_whole(struct accept *a, const char *s, size_t n, stralloc *out) {
  if (!a->filtering) return stralloc_catb(out, s, n);
  return header_filter_feed(&a->filter, s, n, out) && header_filter_end(&a->filter, out);
}

int accept_prepare(struct accept *a, const struct accept_origin *o, uint64_t beside, const char *message, size_t n,
                   const char *envelope, size_t envelope_n, stralloc *text) {
  struct envelope_reader reader = {0};
  stralloc head = STRALLOC_INIT;
  size_t start = text->len;
  size_t used;
  int code = begin(a, o, beside);

  if (code == QQ_queued) code = wire_code(envelope_read(&reader, &a->env, envelope, envelope_n, &used));
  if (code == QQ_queued) code = check_dsn(&a->env);
  if (code == QQ_queued && (!received(a, o, &head) || !stralloc_cat(text, &head) || !filter_whole(a, message, n, text)))
    code = QQ_memory;
  if (code == QQ_queued) code = apply_extras(a, 0);
  envelope_reader_free(&reader);
  stralloc_free(&head);
  if (code == QQ_queued) {
    a->text = start;
    a->text_n = a->env.size = text->len - start;
    a->env.checksum = crc32(0, text->s + start, a->text_n);
    return code;
  }
  stralloc_cut(text, start);
  accept_abandon(a);
  accept_free(a);
  return code;
}

int accept_store(struct accept *a, const stralloc *text) {
  int code = fd_write_all(a->fd, text->s + a->text, a->text_n) == -1 ? QQ_write : QQ_queued;

  if (code == QQ_queued && queue_place(a->id, &a->env, &code) == 0) code = QQ_queued;
  if (code != QQ_queued) accept_abandon(a);
  return code;
}
