/* tls_proto: what passes between a program and qmail-tlsd.
 *
 * The program connects to the Unix socket (SOCK_SEQPACKET) and sends one message,
 * with two descriptors: the network socket and one end of a stream socket pair.
 *
 *   TLS1 server MILLISECONDS
 *   TLS1 client MILLISECONDS any|verify [NAME]
 *
 * MILLISECONDS bound the handshake.  On the socket pair the program then reads one
 * status line, and after a good one plaintext flows both ways, each direction
 * closed on its own.
 *
 *   +VERSION TAB CIPHER TAB verified|unverified TAB SNI TAB EXPORTER TAB ENDPOINT TAB PEER LF
 *   -reason LF
 *
 * EXPORTER and ENDPOINT are channel bindings in hexadecimal, empty where there is none.
 */
#ifndef NET_TLS_PROTO_H
#define NET_TLS_PROTO_H

#include "base/stralloc.h"
#include "net/tls_client.h"

#define TLS_REQUEST_MAX 384
#define TLS_STATUS_MAX 1024
#define TLS_NAME_MAX 255
#define TLS_EXPORTER 32     /* bytes of a tls-exporter binding */
#define TLS_ENDPOINT_MAX 64 /* of a tls-server-end-point binding */

struct tls_wire {
  enum tls_role role;
  int verify;
  uint32_t ms;
  char name[TLS_NAME_MAX + 1];
};

/* Text of a request, its length; 0 if the name cannot be carried. */
size_t tls_request_fmt(char buf[TLS_REQUEST_MAX], const struct tls_wire *w);
/* The whole message: 1, or 0 if it is none of ours. */
int tls_request_parse(const char *s, size_t n, struct tls_wire *w) MUST_CHECK;

/* Note both bindings (0 bytes: none) in info.  1, or 0 (memory, or a length none has). */
int tls_bindings_set(struct tls_info *info, const char *exporter, size_t exporter_n, const char *endpoint,
                     size_t endpoint_n) MUST_CHECK;
/* The status line with its LF, cut to TLS_STATUS_MAX; control characters become
 * question marks.  error is null on success.  Its length. */
size_t tls_status_fmt(char buf[TLS_STATUS_MAX], const struct tls_info *info, const char *error);
/* A status line without its LF: 1 good, info filled; 0 refused, error filled; -1
 * not a status line, or memory ran out. */
int tls_status_parse(const char *s, size_t n, struct tls_info *info, stralloc *error) MUST_CHECK;

#endif
