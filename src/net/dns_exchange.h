/* dns_exchange: a question goes to the servers of a resolver's state and an answer comes back,
 * waiting with base/wait.h, so that in a resident server others go on meanwhile: the system's
 * library builds the question but would block the whole process. */
#ifndef NET_DNS_EXCHANGE_H
#define NET_DNS_EXCHANGE_H

#include <resolv.h>

#include "base/now.h"
#include "base/stralloc.h"

#define DNS_QUESTION_MAX 512

/* Question of an id of its own for name, with the AD bit asked for and EDNS: its length in
 * q[0..DNS_QUESTION_MAX-1], or -1 when this cannot be a name. */
int dns_question(struct __res_state *r, const char *name, int type, unsigned char *q) MUST_CHECK;
/* Each server in turn, twice, over UDP, and over TCP when the answer does not fit; an answer
 * SERVFAIL, REFUSED or the like counts only when no server has a better one.  0 with the
 * answer, or -1 with errno. */
int dns_exchange(const struct __res_state *r, const unsigned char *q, size_t n, deadline when, stralloc *answer) MUST_CHECK;

#endif
