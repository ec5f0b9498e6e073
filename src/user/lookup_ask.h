/* lookup_ask: one request to inlookup under way, and what all kinds of answers need: the inner side of
 * lookup_answer.c and lookup_login.c. */
#ifndef USER_LOOKUP_ASK_H
#define USER_LOOKUP_ASK_H

#include "user/lookup_answer.h"
#include "user/name.h"

struct ask {
  struct lookup_service *s;
  uid_t asker;
  const struct lookup_request *r;
  struct address address;
  struct userdb_user user;
  size_t service; /* of a login: in services */
  const struct lookup_field *ip; /* it comes from */
  struct strerr e;
  enum lookup_status status; /* of the answer */
  size_t head;               /* bytes of its fields before what it says: version and status */
  int away;                  /* the database could not be asked */
  unsigned wait; /* milliseconds the answer is to wait */
};

#define LOOKUP_OP(id, name, arguments, right, pool, away, answer) int lookup_answer_##id(struct ask *q) MUST_CHECK;
#include "user/lookup_ops.def"
#undef LOOKUP_OP

/* The status of the answer; with a text; that of a database that cannot be asked; that of anything but
 * FOUND.  All of them: 1, or 0 (memory). */
int lookup_finish(struct ask *q, enum lookup_status status) MUST_CHECK;
int lookup_say(struct ask *q, enum lookup_status status, const char *why) MUST_CHECK;
int lookup_temporary(struct ask *q) MUST_CHECK;
int lookup_other(struct ask *q, enum userdb_result r) MUST_CHECK;
/* A field of the answer; q->user as an account, after status ok or with it.  1 or 0. */
int lookup_put(stralloc *fields, const stralloc *sa) MUST_CHECK;
int lookup_put_account_fields(struct ask *q) MUST_CHECK;
int lookup_put_account(struct ask *q) MUST_CHECK;
/* A field for each. */
int lookup_put_lines(struct ask *q, const struct strlist *lines) MUST_CHECK;
/* May the asker ask everything?  What one asks who delivers for this owner of a domain? */
int lookup_trusts(const struct ask *q);
int lookup_may_deliver(const struct ask *q, uint32_t owner);
/* Takes the address of argument 0 apart, into q->address: 1, 0 it can be nobody's, -1 memory. */
int lookup_parse_address(struct ask *q) MUST_CHECK;
/* Its (real) domain. */
enum userdb_result lookup_domain_of(struct ask *q, struct userdb_domain *d) MUST_CHECK;
/* user+detail where nobody has that name: the address is the user's own from here on.  1, or 0 when it is
 * none of that kind. */
int lookup_drop_detail(struct ask *q) MUST_CHECK;
/* An alias of that very name goes before a user's detail.  *r: TEMPFAIL, else as it was. */
int lookup_is_alias(struct ask *q, enum userdb_result *r) MUST_CHECK;
/* Argument 0 as a login name, into q->address: 1, 0 it can be nobody's, -1 with q->e filled.  A name
 * without a domain, or with an address of ours for it, name@[192.0.2.1], gets the domain of that
 * address, else the default. */
int lookup_parse_login(struct ask *q) MUST_CHECK;

#endif
