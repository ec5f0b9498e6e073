/* notice: see notice.h. */
#include "smtp/notice.h"

#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "mail/date.h"
#include "mail/dsn.h"
#include "smtp/overlay.h"


/* The header; to is what stands in its To field, more are other fields. */
static int begin_with(const struct session *s, const char *to, const char *subject, const char *more, stralloc *out) {
  const char *me = conf_line(s->conf, SET_me);
  char date[DATE_TEXT];

  date_fmt(date, wall_now(), "+0000");
  return stralloc_catm(out, "Date: ", date, "\nFrom: Mail server <postmaster@", me, ">\nTo: ", to, "\nMessage-ID: <", s->messid,
                       ".notice@", me, ">\nAuto-Submitted: auto-generated\nSubject: ", subject, "\n", more, "\n", (char *)0);
}

static int begin(const struct session *s, const char *to, const char *subject, stralloc *out) {
  return begin_with(s, to, subject, "", out);
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

static int put_envelope_id(stralloc *out, const stralloc *dsn) {
  struct dsn_mail d;

  if (!dsn_mail_parse(stralloc_cstr(dsn), dsn->len, &d) || !d.envid_n) return 1;
  return stralloc_catlit(out, "Original-Envelope-Id: ") && dsn_xtext_decode(out, d.envid, d.envid_n) && stralloc_append(out, '\n');
}

static int put_original(stralloc *out, const char *notify) {
  struct dsn_rcpt d;
  size_t type;

  if (!dsn_rcpt_parse(notify, strlen(notify), &d) || !d.orcpt_n) return 1;
  type = bytes_chr(d.orcpt, d.orcpt_n, ';');
  if (type == d.orcpt_n) return 1;
  return stralloc_catlit(out, "Original-Recipient: ") && stralloc_catb(out, d.orcpt, type) && stralloc_catlit(out, "; ") &&
         dsn_xtext_decode(out, d.orcpt + type + 1, d.orcpt_n - type - 1) && stralloc_append(out, '\n');
}

/* Those who are to be told of: for people, or for programs.  1, or 0 when memory ran out. */
static int put_relayed(const struct transaction *t, int fields, stralloc *out) {
  const char *notify = stralloc_cstr(&t->notifies);

  for (size_t i = 0; i < t->recipients.len; i += strlen(t->recipients.s + i) + 1, notify += strlen(notify) + 1) {
    const char *to = t->recipients.s + i;

    if (!dsn_asks(notify, strlen(notify), DSN_SUCCESS)) continue;
    if (!fields && !stralloc_catm(out, "<", to, ">\n", (char *)0)) return 0;
    if (fields && !(stralloc_append(out, '\n') && put_original(out, notify) &&
                    stralloc_catm(out, "Final-Recipient: rfc822; ", to, "\nAction: relayed\nStatus: 2.0.0\n", (char *)0)))
      return 0;
  }
  return 1;
}

static int put_report(const struct session *s, const stralloc *names, stralloc *out) {
  return stralloc_catm(out, "--", s->messid, "\n\nYou asked to be told when your message has arrived. It was passed on for the following\n",
                       "addresses to where nobody may tell you more.\n\n", names->s, "\n--", s->messid,
                       "\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; ", conf_line(s->conf, SET_me), "\n", (char *)0) &&
         put_envelope_id(out, &s->t.dsn) && put_relayed(&s->t, 1, out) && stralloc_catm(out, "\n--", s->messid, "--\n", (char *)0);
}

void notice_relayed(const struct session *s) {
  stralloc to = STRALLOC_INIT, field = STRALLOC_INIT, more = STRALLOC_INIT, names = STRALLOC_INIT, text = STRALLOC_INIT;
  const stralloc *sender = &s->t.sender.address;
  int ok = put_relayed(&s->t, 0, &names);

  if (sender->len && (!ok || names.len)) {
    ok = ok && stralloc_catz(&to, sender->s, sender->len) && stralloc_catm(&field, "<", sender->s, ">", (char *)0) &&
         stralloc_catm(&more, "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status;\n boundary=\"", s->messid, "\"\n", (char *)0) &&
         begin_with(s, field.s, "your message was passed on", more.s, &text) && put_report(s, &names, &text);
    finish(s, "notice", ok, &to, &text);
  }
  stralloc_free(&to);
  stralloc_free(&field);
  stralloc_free(&more);
  stralloc_free(&names);
  stralloc_free(&text);
}
