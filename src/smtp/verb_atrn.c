/* verb_atrn: ATRN (RFC 2645): a user who has logged in gets the mail of his domains over the connection
 * he has made, whose ends change their roles. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "smtp/atrn_domains.h"
#include "smtp/reply.h"
#include "smtp/turn.h"
#include "smtp/verbs.h"

#define GREETING_MAX 512

int ehlo_atrn(const struct session *s, stralloc *more) {
  return conf_flag(s->conf, SET_odmr);
}

/* --- whose mail ------------------------------------------------------------------------------------ */

/* What the user may fetch: 0, or -1 with e filled. */
static int find_granted(const struct session *s, struct strlist *granted, struct strerr *e) {
  const char *user = stralloc_cstr(&s->c.user);
  const char *line = conf_map(conf_lines(s->conf, SET_atrnaccess), user, strlen(user));
  struct strlist rows = {0};
  enum lookup_verdict v = LOOKUP_NONE;
  int ok = !line || atrn_domains_add(granted, line, strlen(line));

  if (s->c.lookup) v = lookup_atrn(s->c.lookup, user, deadline_in((int64_t)conf_number(s->conf, SET_timeoutread)), &rows, e);
  for (size_t i = 0; ok && v == LOOKUP_FOUND && i < rows.len; ++i) ok = atrn_domains_add(granted, stralloc_cstr(&rows.item[i]), rows.item[i].len);
  strlist_free(&rows);
  if (!ok) return strerr_set(e, "out of memory", (char *)0);
  /* Who has a line needs no database. */
  return v == LOOKUP_TEMPFAIL && !line ? -1 : 0;
}

/* --- the other way round --------------------------------------------------------------------------- */

/* Now the other side greets: 1, or 0 when it does not. */
static int is_greeted(struct session *s) {
  session_deadline(s);
  while (session_line(s, GREETING_MAX) == LINE_READ) {
    if (s->line.len < 3 || memcmp(s->line.s, "220", 3)) return 0;
    if (s->line.len < 4 || s->line.s[3] != '-') return substdio_have(&s->in) == 0;
  }
  return 0;
}

static void say_goodbye(struct session *s) {
  session_deadline(s);
  if (substdio_puts(&s->out, "QUIT\r\n") == 0 && substdio_flush(&s->out) == 0) (void)!session_line(s, GREETING_MAX);
}

static void serve(struct session *s, struct turn *t, const struct strlist *domains, uint64_t messages) {
  uint64_t sent = 0;
  int lost = 1;

  reply(s, 250, "2.0.0", "now it is your turn to greet");
  reply_flush(s);
  if (!s->over && is_greeted(s)) sent = turn_lend(t, s, messages, &lost);
  if (!lost) say_goodbye(s);
  s->out.p = 0; /* nothing we say now is a reply */
  s->over = lost ? 1 : SESSION_QUIT;
  LOG(2, session_prefix(&s->c), smtp_atrn, log_s(s->c.ip), log_u(s->c.number), log_s(s->c.user.s), log_s(domains->item[0].s), log_u(messages), log_u(sent));
}

static void failed(struct session *s, const struct strerr *e) {
  LOG(2, session_prefix(&s->c), smtp_lookup_failed, log_s(s->c.ip), log_u(s->c.number), log_s("atrn"), log_s(e->text));
  reply(s, 451, "4.3.0", "unable to do that now, please try again later");
}

/* The place is taken before mail is asked for, so that none of it comes too early. */
static void turn_round(struct session *s, const struct strlist *domains) {
  struct turn t;
  struct strerr e;
  uint64_t messages = 0;

  if (turn_open(&t, domains, &e) == -1) {
    if (e.sys == EWOULDBLOCK) reply(s, 450, "4.3.2", "somebody fetches this mail just now");
    else failed(s, &e);
    return;
  }
  if (turn_order(domains, &messages, &e) == -1) failed(s, &e);
  else if (!messages) reply(s, 453, "4.3.0", "you have no mail");
  else serve(s, &t, domains, messages);
  turn_close(&t);
  session_deadline(s);
}

void verb_atrn(struct session *s, const char *arg, size_t n) {
  struct strlist granted = {0}, wanted = {0};
  struct strerr e;

  if (!conf_flag(s->conf, SET_odmr)) reply_refuse(s, 502, "5.5.1", "ATRN is not offered here");
  else if (!s->c.authenticated) reply_refuse(s, 530, "5.7.0", "log in first");
  else if (find_granted(s, &granted, &e) == -1) failed(s, &e);
  else if (!atrn_domains_add(&wanted, arg, n)) reply_close(s, "4.3.0", "out of memory");
  else if (!atrn_domains_granted(wanted.len ? &wanted : &granted, &granted)) reply_refuse(s, 450, "4.7.1", "not the mail of these domains");
  else turn_round(s, wanted.len ? &wanted : &granted);
  strlist_free(&granted);
  strlist_free(&wanted);
  if (s->c.lookup) lookup_close(s->c.lookup);
}
