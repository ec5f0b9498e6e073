/* accesslist: who may write to whom, rules of the file accesslist.
 *
 *   from:sender:recipient   such a sender may write to such recipients only
 *   rcpt:sender:recipient   such a recipient is reached by such senders only
 *
 * Rules for the recipient are asked first; the first that allows ends it.  sender and recipient
 * are lines of mail/addrlist.h, or with qregex expressions.  Bounces, and mail to postmaster and
 * abuse, are always let through: that is how people report that something is wrong. */
#ifndef SMTP_ACCESSLIST_H
#define SMTP_ACCESSLIST_H

#include "base/strerr.h"
#include "base/strlist.h"
#include "mail/smtp_syntax.h"

enum accesslist_verdict { ACCESSLIST_ALLOWED, ACCESSLIST_DENIED, ACCESSLIST_FAILED };

struct accesslist_question {
  const struct strlist *rules;
  int regex; /* qregex */
  const stralloc *sender;
  const struct smtp_path *recipient;
};

/* ACCESSLIST_FAILED with e filled.  *rule is the line that decides, the first of those that leave
 * nobody in; null where none does. */
enum accesslist_verdict accesslist_ask(const struct accesslist_question *q, const char **rule, struct strerr *e) MUST_CHECK;

#endif
