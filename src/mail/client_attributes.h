/* client_attributes: what a proxy or a filter says of the client it speaks for: the arguments of
 * XCLIENT and XFORWARD, NAME=value with the values as xtext (RFC 3461 section 4).  Pure. */
#ifndef MAIL_CLIENT_ATTRIBUTES_H
#define MAIL_CLIENT_ATTRIBUTES_H

#include <stddef.h>

#include "base/stralloc.h"

enum client_attribute {
  CLIENT_NAME,
  CLIENT_ADDR,
  CLIENT_PORT,
  CLIENT_LOGIN,
  CLIENT_DESTADDR,
  CLIENT_DESTPORT,
  CLIENT_PROTO,
  CLIENT_HELO,
  CLIENT_IDENT,
  CLIENT_SOURCE,
  CLIENT_ATTRIBUTES
};
#define CLIENT_BIT(attribute) (1u << (attribute))

struct client_attributes {
  unsigned given;                     /* bits */
  stralloc value[CLIENT_ATTRIBUTES]; /* "" when it is said to be not known; addresses as ip_fmt writes them */
};

const char *client_attribute_name(enum client_attribute which);
/* Into a, which is empty: 1; 0 when it is malformed, one comes twice, or none or another than the bits
 * in allowed; -1 when memory ran out. */
int client_attributes_parse(const char *s, size_t n, unsigned allowed, struct client_attributes *a) MUST_CHECK;
void client_attributes_free(struct client_attributes *a);

#endif
