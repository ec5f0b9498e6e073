/* turn: a client that fetches mail over the connection it has made (ATRN, RFC 2645), and what
 * qmail-remote has to do with it.
 *
 * Who fetches the mail of a domain has RUN/odmr/DOMAIN as long as the connection lasts, a Unix
 * socket of the SMTP server's.  qmail-remote connects there, is lent the connection, sends a message
 * over it as to any other server, and gives it back; one at a time.  So what is sent, deferred or
 * bounced, and when, stays qmail-send's business.  A message over the socket: the client's address,
 * with the connection; back comes one byte, TURN_IN_ORDER when another message may follow. */
#ifndef SMTP_TURN_H
#define SMTP_TURN_H

#include "base/strlist.h"
#include "net/ip.h"
#include "smtp/session.h"

#define TURN_DOMAINS 32 /* in one connection */
#define TURN_IN_ORDER '+'
#define TURN_SPOILT '-'

/* Where somebody who fetches the mail of this domain listens: 1, 0 when memory ran out, -1 when there
 * is no such name. */
int turn_path(const char *domain, stralloc *path) MUST_CHECK;

/* What waits for these domains is tried now (qmail-turn): 0 and how many messages that are, or -1 with e
 * filled.  May wait. */
int turn_order(const struct strlist *domains, uint64_t *messages, struct strerr *e) MUST_CHECK;

/* The server's side. */
struct turn {
  int listener;
  struct strlist paths;
  int lock[TURN_DOMAINS];
};
/* Listen for these domains, at most TURN_DOMAINS: 0, or -1 with e filled; e->sys is EWOULDBLOCK when
 * somebody fetches the mail of one of them now. */
int turn_open(struct turn *t, const struct strlist *domains, struct strerr *e) MUST_CHECK;
/* Lend the connection until so many messages went over it, and nobody wants it: how many did.  *lost: it
 * is of no use any more.  May wait. */
uint64_t turn_lend(struct turn *t, struct session *s, uint64_t messages, int *lost);
void turn_close(struct turn *t);

/* Borrow the connection of who fetches the mail of this domain: the socket to give it back over, *fd the
 * connection, and the client's address; -1 when there is nobody (e->sys 0), or it cannot be had.  Blocks
 * until it is free or the deadline. */
int turn_borrow(const char *domain, deadline when, int *fd, char address[IP_TEXT], struct strerr *e) MUST_CHECK;
void turn_give_back(int sock, char order);

#endif
