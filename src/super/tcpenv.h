/* tcpenv: the environment of the program that serves a connection.
 *
 * Built once from our own environment; each connection only fills the texts at its
 * end, so that serving one costs no allocation. */
#ifndef SUPER_TCPENV_H
#define SUPER_TCPENV_H

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/stralloc.h"
#include "net/ip.h"

/* One connection, as numbers and as text. */
struct tcpconn {
  struct ip local, remote; /* family 0: a Unix socket */
  uint16_t local_port, remote_port;
  char local_ip[IP_TEXT], remote_ip[IP_TEXT];
  char local_port_text[6], remote_port_text[6];
  char interface[IF_NAMESIZE]; /* of a link-local client */
};

/* Fill the texts from the numbers. */
void tcpconn_texts(struct tcpconn *c);

#define TCPENV_SLOTS 14
#define TCPENV_SLOT 96

struct tcpenv {
  const char **base; /* the same for every connection */
  size_t base_n, base_a;
  const char **vars; /* base, then slots and a rule's variables, then null */
  size_t n, a;
  stralloc local_host; /* TCPLOCALHOST=..., empty when unknown */
  stralloc rules;      /* TCPRULES=..., empty when there are none */
  char slot[TCPENV_SLOTS][TCPENV_SLOT];
  size_t slots;
};

/* From our environment, without what describes another connection.  local_host, and the path of the
 * rules that set variables, may be null.  1, or 0 when memory ran out. */
int tcpenv_init(struct tcpenv *t, const char *local_host, const char *rules) MUST_CHECK;
/* Describe this connection. 1 or 0. */
int tcpenv_begin(struct tcpenv *t, const struct tcpconn *c) MUST_CHECK;
/* Set NAME=value (borrowed) for this connection, in place of any other. 1 or 0. */
int tcpenv_add(struct tcpenv *t, const char *var) MUST_CHECK;
/* The null-terminated vector. */
char *const *tcpenv_vector(struct tcpenv *t);
/* The part that is the same for every connection, and what a connection has of its own:
 * walk it with *pos, 0 at first; null at the end. */
char *const *tcpenv_base(struct tcpenv *t);
const char *tcpenv_next_own(const struct tcpenv *t, size_t *pos);
void tcpenv_free(struct tcpenv *t);

#endif
