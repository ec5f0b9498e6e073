/* verb_dsn: the parameters of MAIL and RCPT that ask for delivery status notifications (RFC 3461).
 * They are kept as text, in the form of mail/dsn.h, which knows their grammar. */
#include "base/bytes.h"
#include "mail/dsn.h"
#include "smtp/reply.h"
#include "smtp/verbs.h"

/* Whoever stands in for the queue program must know what to do with them. */
int ehlo_dsn(const struct session *s, stralloc *more) {
  return !conf_flag(s->conf, SET_disable_dsn) && qqclient_takes_dsn(s->env);
}

static int mail_ok(const stralloc *text) {
  struct dsn_mail d;

  return dsn_mail_parse(text->s, text->len, &d);
}

static int rcpt_ok(const stralloc *text) {
  struct dsn_rcpt d;

  return dsn_rcpt_parse(text->s, text->len, &d);
}

/* One more parameter, which has to make sense beside those there are: each comes once. */
static int add(struct session *s, stralloc *text, int (*ok)(const stralloc *text), const char *keyword,
               const struct smtp_parameter *p, const char *want) {
  if (!ehlo_dsn(s, 0)) {
    reply_refuse(s, 555, "5.5.4", "delivery notices are not offered here");
    return 0;
  }
  if ((text->len && !stralloc_append(text, ' ')) || !stralloc_catm(text, keyword, "=", (char *)0) ||
      !stralloc_catb(text, p->value ? p->value : "", p->value_n)) {
    reply_close(s, "4.3.0", "out of memory");
    return 0;
  }
  if (p->value && ok(text)) return 1;
  reply_refuse(s, 501, "5.5.4", want);
  return 0;
}

int parameter_ret(struct session *s, const struct smtp_parameter *p) {
  return add(s, &s->t.dsn, mail_ok, "RET", p, "RET= wants FULL or HDRS, once");
}

int parameter_envid(struct session *s, const struct smtp_parameter *p) {
  return add(s, &s->t.dsn, mail_ok, "ENVID", p, "ENVID= wants xtext of at most 100 characters, once");
}

int parameter_notify(struct session *s, const struct smtp_parameter *p) {
  return add(s, &s->t.notify, rcpt_ok, "NOTIFY", p, "NOTIFY= wants NEVER, or of SUCCESS, FAILURE and DELAY each once");
}

int parameter_orcpt(struct session *s, const struct smtp_parameter *p) {
  return add(s, &s->t.notify, rcpt_ok, "ORCPT", p, "ORCPT= wants type;xtext of at most 500 characters, once");
}
