/* notice: see notice.h. */
#include "smtp/notice.h"

#include <string.h>

#include "base/log.h"
#include "mail/date.h"
#include "smtp/overlay.h"

#define PREFIX "qmail-smtpd: "

static int compose(const struct session *s, const char *to, const char *limit, stralloc *out) {
  const char *me = conf_line(s->conf, SET_me);
  char date[DATE_TEXT];

  date_fmt(date, wall_now(), "+0000");
  return stralloc_catm(out, "Date: ", date, "\nFrom: Mail server <postmaster@", me, ">\nTo: <", to, ">\nMessage-ID: <", s->messid,
                       ".notice@", me, ">\nAuto-Submitted: auto-generated\nSubject: sending limit reached\n\nThe account ", (char *)0) &&
         stralloc_cat(out, &s->c.user) &&
         stralloc_catm(out, "\nhas reached its limit of ", limit, " (messages or recipients / seconds).\nWhat it sends beyond that is put off; ",
                       "last tried from ", s->c.ip, ".\nIf that is not what its owner does, the password is known to somebody else.\n", (char *)0);
}

static int queue_mail(const struct session *s, const char *to, const stralloc *text, struct strerr *e) {
  struct qqclient q;
  struct qqresult r;
  int sent;

  if (qqclient_open(&q, overlay_env(s), 0, e) == -1) return -1;
  q.pool = s->queue;
  qqclient_put(&q, text->s, text->len);
  qqclient_from(&q, "", 0);
  qqclient_to(&q, to, strlen(to));
  sent = qqclient_close(&q, &r);
  if (sent == -1) strerr_set(e, stralloc_cstr(&r.text), (char *)0);
  qqresult_free(&r);
  return sent;
}

void notice_sendlimit(const struct session *s, const char *limit) {
  stralloc to = STRALLOC_INIT, text = STRALLOC_INIT;
  const char *named = conf_line(s->conf, SET_sendlimit_notify);
  struct strerr e;
  int ok = *named ? stralloc_copys(&to, named) : stralloc_catm(&to, "postmaster@", conf_line(s->conf, SET_me), (char *)0);

  strerr_set(&e, "out of memory", (char *)0);
  if (!ok || !compose(s, to.s, limit, &text) || queue_mail(s, to.s, &text, &e) == -1)
    LOG(2, PREFIX, smtp_lookup_failed, log_s(s->c.ip), log_u(s->c.number), log_s("sendlimit_notify"), log_s(e.text));
  stralloc_free(&to);
  stralloc_free(&text);
}
