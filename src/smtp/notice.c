/* notice: see notice.h. */
#include "smtp/notice.h"

#include <string.h>

#include "base/log.h"
#include "mail/date.h"
#include "smtp/overlay.h"


/* The header; to is what stands in its To field. */
static int begin(const struct session *s, const char *to, const char *subject, stralloc *out) {
  const char *me = conf_line(s->conf, SET_me);
  char date[DATE_TEXT];

  date_fmt(date, wall_now(), "+0000");
  return stralloc_catm(out, "Date: ", date, "\nFrom: Mail server <postmaster@", me, ">\nTo: ", to, "\nMessage-ID: <", s->messid,
                       ".notice@", me, ">\nAuto-Submitted: auto-generated\nSubject: ", subject, "\n\n", (char *)0);
}

/* to: addresses, each with a NUL behind it. */
static int queue_mail(const struct session *s, const stralloc *to, const stralloc *text, struct strerr *e) {
  struct qqclient q;
  struct qqresult r;
  int sent;

  if (qqclient_open(&q, overlay_env(s), 0, e) == -1) return -1;
  q.pool = s->queue;
  qqclient_put(&q, text->s, text->len);
  qqclient_from(&q, "", 0);
  for (size_t i = 0; i < to->len; i += strlen(to->s + i) + 1) qqclient_to(&q, to->s + i, strlen(to->s + i));
  sent = qqclient_close(&q, &r);
  if (sent == -1) strerr_set(e, stralloc_cstr(&r.text), (char *)0);
  qqresult_free(&r);
  return sent;
}

static void finish(const struct session *s, const char *which, int ok, const stralloc *to, const stralloc *text) {
  struct strerr e;

  strerr_set(&e, "out of memory", (char *)0);
  if (!ok || queue_mail(s, to, text, &e) == -1)
    LOG(2, session_prefix(&s->c), smtp_lookup_failed, log_s(s->c.ip), log_u(s->c.number), log_s(which), log_s(e.text));
}

static void tell_limit(const struct session *s, enum setting limit, const char *what) {
  stralloc to = STRALLOC_INIT, field = STRALLOC_INIT, text = STRALLOC_INIT;
  const char *named = conf_line(s->conf, SET_sendlimit_notify), *limits = conf_line(s->conf, limit);
  int ok = *named ? stralloc_copys(&to, named) : stralloc_catm(&to, "postmaster@", conf_line(s->conf, SET_me), (char *)0);

  ok = ok && stralloc_catm(&field, "<", to.s, ">", (char *)0) && stralloc_append(&to, 0) &&
       begin(s, field.s, "sending limit reached", &text) && stralloc_catlit(&text, "The account ") && stralloc_cat(&text, &s->c.user) &&
       stralloc_catm(&text, strchr(limits, ' ') ? "\nhas reached one of its limits, " : "\nhas reached its limit of ", limits, " (", what, " / seconds).\n",
                     "What it sends beyond that is put off; last tried from ", s->c.ip,
                     ".\nIf that is not what its owner does, the password is known to somebody else.\n", (char *)0);
  finish(s, "sendlimit_notify", ok, &to, &text);
  stralloc_free(&to);
  stralloc_free(&field);
  stralloc_free(&text);
}

void notice_messages(const struct session *s) {
  tell_limit(s, SET_sendlimit_messages, "messages");
}

void notice_recipients(const struct session *s) {
  tell_limit(s, SET_sendlimit_recipients, "recipients");
}

void notice_too_large(const struct session *s) {
  stralloc text = STRALLOC_INIT;
  const stralloc *sender = &s->t.sender.address;
  int ok = begin(s, "undisclosed-recipients:;", "a message to you was too large", &text) && stralloc_catlit(&text, "A message to you from <") &&
           stralloc_cat(&text, sender) && stralloc_catlit(&text, ">\nwas refused: it was larger than ") &&
           stralloc_catu64(&text, conf_number(s->conf, SET_databytes)) &&
           stralloc_catlit(&text, " bytes.\nIts sender knows. Ask for it some other way if you want it.\n");

  finish(s, "databytes_notify", ok, &s->t.recipients, &text);
  stralloc_free(&text);
}
