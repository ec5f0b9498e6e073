/* verb_etrn: ETRN (RFC 1985): a domain that is there again asks for the mail that waits for it.  It
 * goes to the domain's own servers, whoever asks; for whom that is done stands in control/etrnhosts. */
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "net/keeper.h"
#include "smtp/reply.h"
#include "smtp/turn.h"
#include "smtp/verbs.h"


int ehlo_etrn(const struct session *s, stralloc *more) {
  return conf_lines(s->conf, SET_etrnhosts)->len && !conf_flag(s->conf, SET_submission);
}

static void turn(struct session *s, const struct strlist *domain) {
  const char *name = domain->item[0].s;
  uint64_t messages = 0;
  struct strerr e;

  if (turn_order(domain, &messages, &e) == -1) {
    LOG(2, session_prefix(&s->c), smtp_lookup_failed, log_s(s->c.ip), log_u(s->c.number), log_s("etrn"), log_s(e.text));
    reply(s, 458, "4.3.0", "unable to do that now, please try again later");
    return;
  }
  LOG(2, session_prefix(&s->c), smtp_etrn, log_s(s->c.ip), log_u(s->c.number), log_s(name), log_u(messages));
  if (!messages) reply(s, 251, "2.0.0", "no messages wait");
  else {
    stralloc text = STRALLOC_INIT;

    if (stralloc_catu64(&text, messages) && stralloc_cats(&text, " messages are sent now")) reply(s, 253, "2.0.0", text.s);
    else reply_close(s, "4.3.0", "out of memory");
    stralloc_free(&text);
  }
}

void verb_etrn(struct session *s, const char *arg, size_t n) {
  struct strlist domain = {0};

  if (!ehlo_etrn(s, 0)) {
    reply_refuse(s, 502, "5.5.1", "ETRN is not offered here");
  } else if (!n) {
    reply_refuse(s, 501, "5.5.4", "ETRN wants a domain");
  } else if (!strlist_add(&domain, arg, n)) {
    reply_close(s, "4.3.0", "out of memory");
  } else {
    bytes_lower(domain.item[0].s, n);
    if (!keeper_name_ok(domain.item[0].s)) reply_refuse(s, 501, "5.5.4", "ETRN wants a domain, and nothing else");
    else if (!conf_has_domain(conf_lines(s->conf, SET_etrnhosts), domain.item[0].s, n)) reply_refuse(s, 459, "5.7.1", "not for this domain");
    else turn(s, &domain);
  }
  strlist_free(&domain);
  session_deadline(s);
}
