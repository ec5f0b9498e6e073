/* dns_exchange: a question goes to servers and an answer comes back, waiting with base/wait.h, so
 * that in a resident server others go on meanwhile.  Nothing here is kept between questions: a
 * question that fails, for want of memory say, says nothing about the next. */
#ifndef NET_DNS_EXCHANGE_H
#define NET_DNS_EXCHANGE_H

#include <sys/socket.h>

#include "base/now.h"
#include "base/stralloc.h"
#include "net/dns.h"

#define DNS_QUESTION_MAX 512

/* The servers that the lines "nameserver address" of a resolv.conf name, the first DNS_SERVERS of
 * them; none named: this host (resolv.conf(5)). */
void dns_servers_parse(struct dns *d, const char *text, size_t n);
/* Question of an id of its own for name, with the AD bit asked for and EDNS: its length in
 * q[0..DNS_QUESTION_MAX-1], or -1 when this cannot be a name. */
int dns_question(const char *name, int type, unsigned char *q) MUST_CHECK;
/* Each server in turn, twice, over UDP, and over TCP when the answer does not fit; an answer
 * SERVFAIL, REFUSED or the like counts only when no server has a better one.  0 with the
 * answer, or -1 with errno. */
int dns_exchange(const struct dns *d, const unsigned char *q, size_t n, deadline when, stralloc *answer) MUST_CHECK;

#endif
