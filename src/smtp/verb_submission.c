/* verb_submission: what users who have logged in may ask of their messages: how urgent they are
 * (RFC 6710), by when to be delivered (RFC 2852), when to be let go (RFC 4865).  Kept with the message
 * in the form of mail/dsn.h; qmail-send and qmail-remote do the rest. */
#include <string.h>

#include "base/bytes.h"
#include "base/now.h"
#include "base/scan.h"
#include "mail/date.h"
#include "smtp/envelope.h"
#include "smtp/reply.h"
#include "smtp/verbs.h"

#define SECONDS_MAX 999999999 /* nine digits */

/* Before the login too, for not every client asks again after it. */
int ehlo_submission(const struct session *s, stralloc *more) {
  stralloc mechanisms = STRALLOC_INIT;
  int offered = qqclient_takes_dsn(s->env) && (s->c.authenticated || ehlo_auth(s, &mechanisms));

  stralloc_free(&mechanisms);
  return offered;
}

int ehlo_futurerelease(const struct session *s, stralloc *more) {
  uint64_t max = conf_number(s->conf, SET_futurerelease);
  char until[DATE_3339];

  if (!max || !ehlo_submission(s, more)) return 0;
  if (max > SECONDS_MAX) max = SECONDS_MAX;
  date_fmt_3339(until, wall_now() + (int64_t)max);
  return stralloc_append(more, ' ') && stralloc_catu64(more, max) && stralloc_catm(more, " ", until, (char *)0);
}

int ehlo_limits(const struct session *s, stralloc *more) {
  uint64_t max = conf_number(s->conf, SET_maxrecipients);

  return max && stralloc_catlit(more, " RCPTMAX=") && stralloc_catu64(more, max);
}

static int may_ask(struct session *s) {
  if (s->c.authenticated && qqclient_takes_dsn(s->env)) return 1;
  if (ehlo_submission(s, 0)) reply_refuse(s, 530, "5.7.0", "log in first");
  else reply_refuse(s, 555, "5.5.4", "this parameter is not offered here");
  return 0;
}

/* One more parameter: keyword, a number, and what comes behind it. */
static int ask_number(struct session *s, const char *keyword, uint64_t u, const char *behind, const char *want) {
  stralloc text = STRALLOC_INIT;
  int ok = stralloc_cats(&text, keyword) && stralloc_catu64(&text, u) && stralloc_cats(&text, behind);

  if (ok) ok = envelope_ask(s, text.s, text.len, want);
  else reply_close(s, "4.3.0", "out of memory");
  stralloc_free(&text);
  return ok;
}

int parameter_mt_priority(struct session *s, const struct smtp_parameter *p) {
  static const char want[] = "MT-PRIORITY= wants a number from -9 to 9, once";
  int minus = p->value_n && *p->value == '-';
  uint64_t u;

  if (!may_ask(s)) return 0;
  if (!p->value || !scan_u64_max(p->value + minus, p->value_n - (size_t)minus, 9, &u)) return envelope_bad(s, want);
  return ask_number(s, minus ? "MT-PRIORITY=-" : "MT-PRIORITY=", u, "", want);
}

int parameter_by(struct session *s, const struct smtp_parameter *p) {
  static const char want[] = "BY= wants seconds;R, seconds;N, perhaps with T behind it, once, and those of R above 0";
  static const char *const modes[] = {";R", ";RT", ";N", ";NT"};
  size_t digits = p->value ? bytes_chr(p->value, p->value_n, ';') : 0;
  size_t sign = digits && (*p->value == '-' || *p->value == '+');
  uint64_t now = (uint64_t)wall_now();
  uint64_t u;

  if (!may_ask(s)) return 0;
  if (!p->value || digits == p->value_n || !scan_u64_max(p->value + sign, digits - sign, SECONDS_MAX, &u)) return envelope_bad(s, want);
  for (size_t i = 0; i < sizeof modes / sizeof *modes; ++i) {
    size_t n = p->value_n - digits;
    int late = !u || *p->value == '-';

    if (strlen(modes[i]) != n || !bytes_caseequal(p->value + digits, modes[i], n)) continue;
    if (late && modes[i][1] == 'R') break;
    return ask_number(s, "BY=", late ? now - (u < now ? u : now) : now + u, modes[i], want);
  }
  return envelope_bad(s, want);
}

static int hold(struct session *s, uint64_t until, const char *want) {
  uint64_t now = (uint64_t)wall_now();
  uint64_t max = conf_number(s->conf, SET_futurerelease);

  if (until > now && until - now > max) return envelope_bad(s, "that is too far ahead");
  return ask_number(s, "HOLDUNTIL=", until ? until : 1, "", want);
}

static int may_hold(struct session *s) {
  if (!may_ask(s)) return 0;
  if (conf_number(s->conf, SET_futurerelease)) return 1;
  reply_refuse(s, 555, "5.5.4", "messages are not held back here");
  return 0;
}

int parameter_holdfor(struct session *s, const struct smtp_parameter *p) {
  static const char want[] = "HOLDFOR= wants seconds, once, and no HOLDUNTIL beside it";
  uint64_t u;

  if (!may_hold(s)) return 0;
  if (!p->value || !scan_u64_max(p->value, p->value_n, SECONDS_MAX, &u)) return envelope_bad(s, want);
  return hold(s, (uint64_t)wall_now() + u, want);
}

int parameter_holduntil(struct session *s, const struct smtp_parameter *p) {
  static const char want[] = "HOLDUNTIL= wants a time like 2030-01-31T12:00:00Z, once, and no HOLDFOR beside it";
  uint64_t when;

  if (!may_hold(s)) return 0;
  if (!p->value || !date_scan_3339(p->value, p->value_n, &when)) return envelope_bad(s, want);
  return hold(s, when, want);
}
