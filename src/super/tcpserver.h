/* tcpserver: accepts connections and starts a program for each.
 *
 * The listener does nothing that could wait: questions to the DNS or to an ident
 * server are asked by tcpserver-lookup, in the process that will serve the
 * connection.  Where none are wanted the listener reads the rules itself and starts
 * the program directly, or hands the connection to a resident server. */
#ifndef SUPER_TCPSERVER_H
#define SUPER_TCPSERVER_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"
#include "super/client_count.h"

enum tcpserver_verbosity { TCPSERVER_QUIET, TCPSERVER_ERRORS, TCPSERVER_VERBOSE, TCPSERVER_TABLE };

struct tcpserver_options {
  int listener;           /* listening, non-blocking socket */
  char *const *program;   /* what serves a connection that the rules let in */
  char *const *lookup;    /* the same behind tcpserver-lookup, or null */
  const char *local_host; /* null: not known */
  const char *rules;      /* null: everybody may */
  int rules_optional;
  const char *limit_file; /* holds the limit, read again on SIGHUP; or null */
  uint64_t limit;
  uint64_t residents; /* servers that stay and are handed connections; 0: a process for each */
  uint64_t per_ip; /* connections of one address (IPv6: of one /64); 0: any number */
  uint64_t per_ip_everywhere; /* the same at all servers that count; 0: any number, and this one does not count */
  struct client_count *everywhere; /* the count; or null */
  const char *banner;
  int nodelay;
  enum tcpserver_verbosity verbosity;
};

/* The number in a limit file: 0, or -1 with e filled. */
int tcpserver_read_limit(const char *path, uint64_t *limit, struct strerr *e) MUST_CHECK;
/* Serve until SIGTERM: 0, or -1 with e filled.  Connections outlive it. */
int tcpserver_run(const struct tcpserver_options *o, struct strerr *e) MUST_CHECK;

#endif
