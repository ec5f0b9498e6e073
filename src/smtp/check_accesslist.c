/* check_accesslist: who may write to whom, rules of the file accesslist.
 *
 *   from:sender:recipient   such a sender may write to such recipients only
 *   rcpt:sender:recipient   such a recipient is reached by such senders only
 *
 * Rules for the recipient are asked first; the first that allows ends it.  sender and recipient
 * are lines of mail/addrlist.h, or with qregex expressions.  Bounces, and mail to postmaster and
 * abuse, are always let through: that is how people report that something is wrong. */
#include <string.h>

#include "base/bytes.h"
#include "mail/addrlist.h"
#include "mail/pattern.h"
#include "smtp/checks.h"

struct question {
  const stralloc *sender, *recipient;
  int regex;
  struct strerr *e;
};

/* 1, 0, -1 with e. */
static int matches(const char *pattern, size_t n, const stralloc *address, const struct question *q) {
  stralloc line = STRALLOC_INIT;
  struct pattern *p = 0;
  int r = -1;

  if (!stralloc_copyb(&line, pattern, n)) return strerr_set(q->e, "out of memory", (char *)0);
  if (!q->regex) r = addrlist_line(line.s, address->s, address->len);
  else if ((p = pattern_compile(line.s, line.len, q->e)) != 0) switch (pattern_match(p, address->s, address->len)) {
      case PATTERN_NO: r = 0; break;
      case PATTERN_YES: r = 1; break;
      case PATTERN_FAILED: strerr_set(q->e, "accesslist: an expression takes too long", (char *)0); break;
    }
  pattern_free(p);
  stralloc_free(&line);
  return r;
}

/* What one kind of rules says: 1 allowed, 0 forbidden, 2 nothing, -1 with e.  whose is the address
 * that a rule of this kind is about. */
static int ask(const struct strlist *lines, const char *kind, int about_sender, const struct question *q) {
  int said = 2;

  for (size_t i = 0; i < lines->len; ++i) {
    const char *rule = lines->item[i].s + strlen(kind);
    size_t n, colon;
    int sender, recipient;

    if (!stralloc_starts(&lines->item[i], kind)) continue;
    n = lines->item[i].len - strlen(kind);
    colon = bytes_chr(rule, n, ':');
    if (colon == n) continue;
    sender = matches(rule, colon, q->sender, q);
    recipient = sender == -1 ? -1 : matches(rule + colon + 1, n - colon - 1, q->recipient, q);
    if (recipient == -1) return -1;
    if (sender && recipient) return 1;
    if (about_sender ? sender : recipient) said = 0;
  }
  return said;
}

/* postmaster or abuse, of whatever domain */
static int always(const struct smtp_path *p) {
  static const char *const names[] = {"postmaster", "abuse"};

  for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
    if (p->at == strlen(names[i]) && bytes_caseequal(p->address.s, names[i], p->at)) return 1;
  return 0;
}

enum verdict check_accesslist(const struct connection *c, const struct transaction *t, const struct conf *conf,
                              struct policy_reply *r) {
  const struct strlist *lines = conf_lines(conf, SET_accesslist);
  struct strerr e;
  const struct question q = {&t->sender.address, &t->recipient.address, conf_flag(conf, SET_qregex), &e};
  int said;

  if (!lines->len || always(&t->recipient)) return VERDICT_NEXT;
  said = ask(lines, "rcpt:", 0, &q);
  if (said == 2) said = ask(lines, "from:", 1, &q);
  if (said == -1) return policy_say(r, VERDICT_FAILED, 0, "", e.text);
  if (said) return VERDICT_NEXT;
  return policy_say(r, VERDICT_REJECT, 553, "5.7.1", "you may not write to this recipient");
}
