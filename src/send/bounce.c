/* bounce: see bounce.h. */
#include "send/bounce.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/now.h"
#include "base/task.h"
#include "mail/dsn.h"
#include "mail/envrules.h"
#include "queue/qqclient.h"
#include "queue/queuepath.h"
#include "queue/transition.h"
#include "send/bounce_format.h"
#include "send/bounce_processor.h"
#include "send/bounce_text.h"

#define REPORT_ARGUMENT_MAX 65536 /* the system takes no argument of twice that */

struct job {
  const struct conf *conf;
  struct conf own; /* when rules for this sender changed variables */
  struct env env;  /* of the programs that are run */
  const struct message *m;
  stralloc sender;  /* of the message */
  const char *from; /* envelope sender of the bounce */
  stralloc to, text, head, tail, path;
  enum bounce_kind kind;
  int is_double;
  int fd; /* the message */
  char boundary[BOUNCE_BOUNDARY];
  struct bounce_scan scan;
};

/* Who gets it, and in whose name: 1, 0 to be discarded, -1 no memory. */
static int choose_parties(struct job *j) {
  const char *to = conf_line(j->conf, SET_doublebounceto);
  const stralloc *s = &j->sender;

  if (stralloc_equals(s, "#@[]")) return 0;
  if (s->len) {
    size_t n = s->len;

    j->from = "";
    /* VERP: owner-@host-@[] stands for owner-@host. */
    if (n > 4 && !memcmp(s->s + n - 4, "-@[]", 4)) n -= 4;
    return stralloc_copyb(&j->to, s->s, n) ? 1 : -1;
  }
  if (!*to || *to == '@') return 0;
  j->is_double = 1;
  j->from = "#@[]";
  return stralloc_copys(&j->to, to) && stralloc_catm(&j->to, "@", conf_line(j->conf, SET_doublebouncehost), (char *)0)
             ? 1
             : -1;
}

/* The environment, and what the rules for this sender make of it and of the settings. */
static int prepare(struct job *j, struct strerr *e) {
  const char *program;
  int rules;

  errno = ENOMEM;
  if (!env_copy(&j->env, 0)) return strerr_sys(e, "unable to build a bounce", (char *)0);
  rules = envrules_apply(conf_lines(j->conf, SET_bouncerules), stralloc_cstr(&j->sender), j->sender.len, &j->env);
  if (rules == -1) return strerr_sys(e, "unable to build a bounce", (char *)0);
  if (rules) {
    if (conf_load_env(&j->own, CONF_SEND, &j->env, e) == -1) return -1;
    j->conf = &j->own;
  }
  program = conf_line(j->conf, SET_bouncequeue);
  errno = ENOMEM;
  if ((*program && !env_set(&j->env, "QMAILQUEUE", program)) || !env_unset(&j->env, "SPAMFILTER") ||
      !env_unset(&j->env, "FILTERARGS"))
    return strerr_sys(e, "unable to build a bounce", (char *)0);
  return 0;
}

/* --- the message that goes back --- */

/* Gives up to max bytes of it to fn. */
static int read_message(struct job *j, uint64_t max, void (*fn)(struct job *j, struct qqclient *q, const char *s, size_t n),
                        struct qqclient *q, struct strerr *e) {
  char buf[8192];

  if (lseek(j->fd, 0, SEEK_SET) == -1) return strerr_sys(e, "unable to read a message", (char *)0);
  while (max) {
    ssize_t n = read(j->fd, buf, max < sizeof buf ? (size_t)max : sizeof buf);

    if (n == -1 && errno == EINTR) continue;
    if (n == -1) return strerr_sys(e, "unable to read a message", (char *)0);
    if (!n) return 0;
    fn(j, q, buf, (size_t)n);
    max -= (uint64_t)n;
  }
  return 0;
}

static void scan_some(struct job *j, struct qqclient *q, const char *s, size_t n) {
  (void)q;
  bounce_scan_feed(&j->scan, s, n);
}

static void put_some(struct job *j, struct qqclient *q, const char *s, size_t n) {
  (void)j;
  qqclient_put(q, s, n);
}

/* A boundary that is in nothing we send.  Twice the same would be no chance. */
static int choose_boundary(struct job *j, uint64_t max, struct strerr *e) {
  for (int i = 0; i < 3; ++i) {
    unsigned char random[16];

    if (getrandom(random, sizeof random, 0) != sizeof random) return strerr_sys(e, "unable to get random bytes", (char *)0);
    bounce_boundary(j->boundary, random);
    bounce_scan_init(&j->scan, j->boundary);
    bounce_scan_feed(&j->scan, j->path.s, j->path.len);
    if (read_message(j, max, scan_some, 0, e) == -1) return -1;
    if (!j->scan.found && !memmem(j->text.s, j->text.len, j->boundary, strlen(j->boundary))) return 0;
  }
  return strerr_set(e, "unable to find a boundary for a bounce", (char *)0);
}

static const char *subject(const struct job *j) {
  if (j->is_double) return conf_line(j->conf, SET_doublebouncesubject);
  if (j->kind == BOUNCE_OF_SUCCESS) return "success notice";
  return j->kind == BOUNCE_OF_DELAY ? "delay notice" : conf_line(j->conf, SET_bouncesubject);
}

/* What goes back, and the text around it: the number of bytes of the message, or -1. */
static int64_t compose(struct job *j, struct strerr *e) {
  uint64_t max = conf_number(j->conf, SET_bouncemaxbytes);
  struct dsn_mail dsn;
  struct bounce_letter l = {
      .qsbmf = !strcmp(conf_line(j->conf, SET_bounceformat), "qsbmf"), .is_double = j->is_double,
      .from = conf_line(j->conf, SET_bouncefrom), .host = conf_line(j->conf, SET_bouncehost),
      .me = conf_line(j->conf, SET_me),
      .subject = subject(j), .kind = j->kind,
      .message = conf_line(j->conf, j->is_double ? SET_doublebouncemessage : SET_bouncemessage),
      .to = &j->to, .sender = &j->sender, .text = &j->text, .dsn = message_dsn(j->m), .dsn_n = strlen(message_dsn(j->m)),
      .now = wall_now(), .birth = (int64_t)(j->m->id / 1000000), /* an id is the time when it came */
      .until = (int64_t)(j->m->id / 1000000 + conf_number(j->conf, SET_queuelifetime)), .id = j->m->id, .scan = &j->scan};
  struct stat st;
  uint64_t size;
  int cut;

  if (fstat(j->fd, &st) == -1) return strerr_sys(e, "unable to read a message", (char *)0);
  size = (uint64_t)st.st_size;
  if (!max) max = UINT64_MAX;
  cut = size > max;
  /* RET counts for failures only (RFC 3461 4.3). */
  l.only_header = j->kind != BOUNCE_OF_FAILURE || (dsn_mail_parse(l.dsn, l.dsn_n, &dsn) && (dsn.ret == DSN_RET_HDRS || dsn.requiretls)) ||
                  (cut && !l.qsbmf);
  if (cut) size = max;
  errno = ENOMEM;
  if (!bounce_format_path(&j->path, &j->sender)) return strerr_sys(e, "unable to build a bounce", (char *)0);
  if (choose_boundary(j, size, e) == -1) return -1;
  if (l.only_header) {
    size = j->scan.header_size - j->path.len;
    cut = 0;
  }
  errno = ENOMEM;
  if (!bounce_format_head(&j->head, &l) || !bounce_format_tail(&j->tail, &l, cut))
    return strerr_sys(e, "unable to build a bounce", (char *)0);
  return (int64_t)size;
}

static enum bounce_outcome inject(struct job *j, uint64_t *qp, struct strerr *e) {
  int64_t size = compose(j, e);
  struct qqclient q;
  struct qqresult r;
  int sent;

  if (size < 0 || qqclient_open(&q, &j->env, 0, e) == -1) return BOUNCE_LATER;
  qqclient_put(&q, j->head.s, j->head.len);
  qqclient_put(&q, j->path.s, j->path.len);
  if (read_message(j, (uint64_t)size, put_some, &q, e) == -1) qqclient_fail(&q);
  qqclient_put(&q, stralloc_cstr(&j->tail), j->tail.len);
  qqclient_from(&q, j->from, strlen(j->from));
  qqclient_to(&q, j->to.s, j->to.len);
  sent = qqclient_close(&q, &r);
  *qp = q.qp;
  if (sent == -1) strerr_set(e, stralloc_cstr(&r.text), (char *)0);
  qqresult_free(&r);
  return sent == 0 ? BOUNCE_SENT : BOUNCE_LATER;
}

/* The first recipient in the text, for the administrator's program. */
static int first_recipient(const struct job *j, stralloc *out) {
  struct bounce_failure f;
  size_t pos = 0;

  stralloc_cut(out, 0);
  return !bounce_text_next(j->text.s, j->text.len, &pos, &f) || stralloc_copyb(out, f.recipient_n ? f.recipient : "", f.recipient_n);
}

static enum bounce_wish ask_processor(struct job *j, struct strerr *e) {
  const char *program = conf_line(j->conf, SET_bounceprocessor);
  char message[QUEUE_PATH], text[QUEUE_PATH];
  struct bounce_notice n = {.message = message, .text = text, .from = j->from, .to = stralloc_cstr(&j->to)};
  stralloc recipient = STRALLOC_INIT;
  stralloc report = STRALLOC_INIT;
  enum bounce_wish wish = BOUNCE_WISH_LATER;

  if (!*program || j->kind != BOUNCE_OF_FAILURE) return BOUNCE_WISH_SEND;
  queuepath(message, QUEUE_mess, j->m->id);
  queuepath(text, QUEUE_bounce, j->m->id);
  errno = ENOMEM;
  if (first_recipient(j, &recipient) &&
      stralloc_copyb(&report, j->text.s, j->text.len < REPORT_ARGUMENT_MAX ? j->text.len : REPORT_ARGUMENT_MAX)) {
    n.recipient = stralloc_cstr(&recipient);
    n.report = stralloc_cstr(&report);
    wish = bounce_process(program, &n, &j->env, conf_number(j->conf, SET_bounceprocessortime), e);
  } else {
    strerr_sys(e, "unable to build a bounce", (char *)0);
  }
  stralloc_free(&recipient);
  stralloc_free(&report);
  return wish;
}

/* Does it go at all?  BOUNCE_SENT: yes, when it is injected. */
static enum bounce_outcome consent(struct job *j, struct strerr *e) {
  int who;

  if (prepare(j, e) == -1) return BOUNCE_LATER;
  who = choose_parties(j);
  if (who == -1) strerr_sys(e, "unable to build a bounce", (char *)0);
  if (who != 1) return who ? BOUNCE_LATER : BOUNCE_DISCARDED;
  switch (ask_processor(j, e)) {
    case BOUNCE_WISH_SEND: return BOUNCE_SENT;
    case BOUNCE_WISH_DROP: return BOUNCE_DROPPED;
    case BOUNCE_WISH_LATER: return BOUNCE_LATER;
  }
  return BOUNCE_LATER;
}

static enum bounce_outcome inject_message(struct job *j, uint64_t *qp, struct strerr *e) {
  char path[QUEUE_PATH];

  queuepath(path, QUEUE_mess, j->m->id);
  j->fd = fd_open_read(path);
  if (j->fd != -1) return inject(j, qp, e);
  strerr_sys(e, "unable to open ", path, (char *)0);
  return BOUNCE_LATER;
}

static void job_free(struct job *j) {
  fd_close(j->fd);
  if (j->conf == &j->own) conf_free(&j->own);
  env_free(&j->env);
  stralloc_free(&j->sender);
  stralloc_free(&j->to);
  stralloc_free(&j->text);
  stralloc_free(&j->head);
  stralloc_free(&j->tail);
  stralloc_free(&j->path);
}

/* What is agreed is queued in one step: nothing is done with it while its record is still there,
 * so that whoever is killed meanwhile can only have it made twice, and not made twice and delivered
 * twice. */
struct step {
  struct job *j;
  const struct conf *conf;
  stralloc successes; /* that could not be told when they happened: they go first, in a notice of their own */
  uint64_t *qp;
  struct strerr *e;
  enum bounce_outcome outcome; /* of consent; BOUNCE_NOTHING: there are successes only */
};

static void queue_all(void *ctx) {
  struct step *s = ctx;

  if (s->successes.len && bounce_notice(s->conf, s->j->m, BOUNCE_OF_SUCCESS, &s->successes, s->qp, s->e) == -1)
    s->outcome = BOUNCE_LATER;
  else if (s->outcome == BOUNCE_NOTHING) s->outcome = BOUNCE_SENT;
  else if (s->outcome == BOUNCE_SENT) s->outcome = inject_message(s->j, s->qp, s->e);
}

static enum bounce_outcome handle_all(struct job *j, uint64_t *qp, struct strerr *e) {
  struct step s = {.j = j, .conf = j->conf, .qp = qp, .e = e, .outcome = BOUNCE_LATER};
  stralloc text = STRALLOC_INIT;

  errno = ENOMEM;
  if (!stralloc_copys(&j->sender, message_sender(j->m)) || !stralloc_copy(&text, &j->text)) {
    strerr_sys(e, "unable to build a bounce", (char *)0);
  } else {
    stralloc_cut(&j->text, 0);
    if (!bounce_text_split(text.s, text.len, &s.successes, &j->text)) strerr_sys(e, "unable to build a bounce", (char *)0);
    else s.outcome = j->text.len || !s.successes.len ? consent(j, e) : BOUNCE_NOTHING;
  }
  if (s.outcome != BOUNCE_LATER) task_undivided(queue_all, &s);
  stralloc_free(&text);
  stralloc_free(&s.successes);
  return s.outcome;
}

int bounce_needed(const struct message *m) {
  char path[QUEUE_PATH];
  struct stat st;

  if (!m->marks) return 0;
  queuepath(path, QUEUE_bounce, m->id);
  if (stat(path, &st) == 0) return st.st_size > 0; /* a crash left the name alone */
  return errno != ENOENT;
}

enum bounce_outcome bounce_send(const struct conf *conf, const struct message *m, uint64_t *qp,
                                struct strerr *e) {
  struct job j = {.conf = conf, .m = m, .fd = -1};
  int cut = 0;
  int got = queue_bounce_read(m->id, &j.text, &cut);
  enum bounce_outcome outcome = BOUNCE_NOTHING;

  errno = got == -1 ? errno : ENOMEM;
  if (got == -1 || (cut && !stralloc_catlit(&j.text, "There are more, for which there is no room here.\n\n"))) {
    strerr_sys(e, "unable to read the bounce text", (char *)0);
    outcome = BOUNCE_LATER;
  } else if (got == 1) {
    outcome = handle_all(&j, qp, e);
  }
  if (outcome != BOUNCE_NOTHING && outcome != BOUNCE_LATER && queue_bounce_remove(m->id) == -1) {
    strerr_sys(e, "unable to remove the bounce text", (char *)0);
    outcome = BOUNCE_LATER;
  }
  job_free(&j);
  return outcome;
}

int bounce_notice(const struct conf *conf, const struct message *m, enum bounce_kind kind, const stralloc *text, uint64_t *qp,
                  struct strerr *e) {
  struct job j = {.conf = conf, .m = m, .kind = kind, .fd = -1};
  enum bounce_outcome outcome = BOUNCE_LATER;

  errno = ENOMEM;
  if (stralloc_copys(&j.sender, message_sender(m)) && stralloc_copy(&j.text, text)) outcome = consent(&j, e);
  else strerr_sys(e, "unable to build a notice", (char *)0);
  if (outcome == BOUNCE_SENT) outcome = inject_message(&j, qp, e);
  job_free(&j);
  return outcome == BOUNCE_SENT ? 0 : -1;
}
