/* envelope: see envelope.h. */
#include "smtp/envelope.h"

#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "mail/dsn.h"
#include "smtp/bounce_tag.h"
#include "smtp/idn.h"
#include "smtp/reply.h"

#define IDN_SECONDS 30

int envelope_path(struct session *s, const char *arg, size_t n, const char *keyword, struct smtp_path *p,
                  const char *syntax, const char **rest, size_t *rest_n) {
  switch (smtp_path_argument(arg, n, keyword, p, rest, rest_n)) {
    case SMTP_OK: break;
    case SMTP_SYNTAX: reply_refuse(s, 501, syntax, "syntax error in the address"); return 0;
    case SMTP_TOO_LONG: reply_refuse(s, 501, syntax, "address too long"); return 0;
    case SMTP_NO_MEMORY: reply_close(s, "4.3.0", "out of memory"); return 0;
  }
  return 1;
}

static int has_high(const char *s, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if ((unsigned char)s[i] > 127) return 1;
  return 0;
}

int envelope_complete_sender(struct session *s) {
  struct smtp_path *p = &s->t.sender;

  enum batv_verdict tag; /* a sender of ours that comes back is who it was */

  if (!p->address.len || p->at < p->address.len) return bounce_tag_take(s->conf, p, &tag);
  return stralloc_catm(&p->address, "@", conf_line(s->conf, SET_envnoathost), (char *)0);
}

int envelope_name_ourselves(const struct session *s, struct smtp_path *p) {
  struct ip local;

  if (!p->ip.family || !ip_scan(s->c.local_ip, strlen(s->c.local_ip), &local) || !ip_equal(&p->ip, &local)) return 1;
  stralloc_cut(&p->address, p->at + 1);
  memset(&p->ip, 0, sizeof p->ip);
  return stralloc_cats(&p->address, conf_line(s->conf, SET_localiphost));
}

/* The address as it goes into the queue. */
static int complete(struct session *s, struct smtp_path *p) {
  if (p->at == p->address.len &&
      !stralloc_catm(&p->address, "@", conf_line(s->conf, SET_envnoathost), (char *)0))
    return 0;
  return !s->c.relay || stralloc_cats(&p->address, s->c.relay);
}

int envelope_add_recipient(struct session *s) {
  struct smtp_path *p = &s->t.recipient;

  if (!complete(s, p)) return 0;
  ++s->t.accepted;
  if (s->t.dropped) return 1;
  return stralloc_catz(&s->t.recipients, p->address.s, p->address.len) &&
         stralloc_catz(&s->t.notifies, stralloc_cstr(&s->t.notify), s->t.notify.len);
}

static int ascii_domain(struct session *s, struct smtp_path *p, const char *syntax) {
  stralloc ascii = STRALLOC_INIT;
  size_t n;
  const char *domain = smtp_path_domain(p, &n);
  struct strerr e;
  int ok = 0;

  if (!has_high(domain, n)) return 1;
  switch (idn_ascii(domain, n, &ascii, deadline_in(IDN_SECONDS), &e)) {
    case IDN_OK:
      stralloc_cut(&p->address, p->at + 1);
      ok = stralloc_cat(&p->address, &ascii);
      if (!ok) reply_close(s, "4.3.0", "out of memory");
      break;
    case IDN_NO_NAME: reply_refuse(s, 501, syntax, "that is no name of a domain"); break;
    case IDN_TEMPFAIL:
      LOG(2, session_prefix(&s->c), warning, log_s(e.text));
      reply(s, 451, "4.3.0", "unable to look at this domain now");
      break;
  }
  stralloc_free(&ascii);
  return ok;
}

int envelope_international(struct session *s, struct smtp_path *p, const char *syntax) {
  if (!p->eight_bit) return 1;
  if (!s->t.utf8) {
    reply_refuse(s, 553, "5.6.7", "addresses beyond ASCII are for messages with SMTPUTF8");
    return 0;
  }
  if (!utf8_valid(p->address.s, p->address.len)) {
    reply_refuse(s, 501, syntax, "that is no UTF-8");
    return 0;
  }
  return ascii_domain(s, p, syntax);
}

int envelope_bad(struct session *s, const char *want) {
  reply_refuse(s, 501, "5.5.4", want);
  return 0;
}

int envelope_ask(struct session *s, const char *text, size_t n, const char *want) {
  stralloc *all = &s->t.dsn;
  struct dsn_mail d;

  if ((all->len && !stralloc_append(all, ' ')) || !stralloc_catb(all, text, n)) {
    reply_close(s, "4.3.0", "out of memory");
    return 0;
  }
  return dsn_mail_parse(all->s, all->len, &d) || envelope_bad(s, want);
}
