/* mysql_place: where a MariaDB or MySQL server is and how to get in, as control/host.mysql says
 * it: host[:user[:password[:socket or port[:ssl|nossl]]]].  A backslash takes the character
 * behind it as it is, so that a password may hold a colon; an IPv6 address may stand in
 * brackets.  Pure. */
#ifndef SQL_MYSQL_PLACE_H
#define SQL_MYSQL_PLACE_H

#include <stddef.h>

#include "base/stralloc.h"

struct mysql_place {
  stralloc host, user, password, socket; /* empty: not said */
  unsigned port;                         /* 0: not said */
  int tls;                               /* 1 ssl, 0 nossl, -1 not said */
};

/* 1, 0 when it is not of that form, -1 without memory. */
int mysql_place_parse(struct mysql_place *p, const char *s, size_t n);
/* What stands where the socket or the port does: 1, 0 or -1 in the same way. */
int mysql_place_end(struct mysql_place *p, const char *s, size_t n);
void mysql_place_free(struct mysql_place *p); /* wipes the password */

#endif
