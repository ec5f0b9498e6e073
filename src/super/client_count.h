/* client_count: how many connections each client has at all the tcpservers of this host that count.
 *
 * They share a file that is mapped into memory.  Each has a column of it, which it alone writes and holds
 * by a lock that the kernel takes from it when it ends, however it ends: what a dead server has counted
 * counts no more.  Nobody waits for anybody.  A client is an IPv4 address, or the /64 of an IPv6 one.  A
 * column has no place for each client of the world: two that fall on the same places, which nobody
 * outside can know, count as one, and so somebody may seem to have more than he has, but not fewer. */
#ifndef SUPER_CLIENT_COUNT_H
#define SUPER_CLIENT_COUNT_H

#include <stdint.h>

#include "base/strerr.h"
#include "net/ip.h"

#define CLIENT_COUNT_COLUMNS 32 /* servers at the same time */
#define CLIENT_COUNT_PLACES 4096
#define CLIENT_COUNT_ROWS 2

struct client_count_table;

/* A server's; zeroed: it counts nothing. */
struct client_count {
  struct client_count_table *table;
  int fd;
  unsigned own; /* column */
};

/* Take part in the counting of this file, which is made if need be and must be ours.  0, or -1 with e
 * filled. */
int client_count_open(struct client_count *c, const char *path, struct strerr *e) MUST_CHECK;
/* How many this client has at all servers that live. */
uint64_t client_count_of(const struct client_count *c, const struct ip *ip);
/* A connection of this client at this server begins, or is over. */
void client_count_add(struct client_count *c, const struct ip *ip);
void client_count_remove(struct client_count *c, const struct ip *ip);
/* Idempotent. */
void client_count_close(struct client_count *c);

#endif
