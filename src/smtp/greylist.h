/* greylist: asks a greylisting daemon (GREYIP) about one recipient, in a datagram each way.
 *
 *   question  I address NUL F sender NUL T recipient NUL NUL, all text
 *   answer    two bytes, of which the first counts: 1 take it, 0 not yet */
#ifndef SMTP_GREYLIST_H
#define SMTP_GREYLIST_H

#include <stdint.h>

#include "base/now.h"
#include "base/stralloc.h"
#include "base/strerr.h"
#include "net/ip.h"

#define GREYLIST_PORT 1999
#define GREYLIST_QUESTION_MAX 4096

/* "address[@port]": 1 or 0. */
int greylist_server(const char *s, struct ip *ip, uint16_t *port);
/* 1, 0 without memory, or when it is too long for a datagram. */
int greylist_question(stralloc *out, const char *ip, const char *sender, const char *recipient);
enum greylist_verdict { GREYLIST_PASS, GREYLIST_WAIT, GREYLIST_FAILED };
enum greylist_verdict greylist_answer(const char *s, size_t n);
/* Ask, and wait for the answer: GREYLIST_FAILED with e filled. */
enum greylist_verdict greylist_ask(const struct ip *ip, uint16_t port, const stralloc *question, deadline when, struct strerr *e);

#endif
