/* client_config: what mail clients ask a domain for to set themselves up: SRV records (RFC 6186,
 * RFC 8314) and the documents of autoconfig and autodiscover, for a web server to hand out.  Pure. */
#ifndef USER_CLIENT_CONFIG_H
#define USER_CLIENT_CONFIG_H

#include "base/stralloc.h"

struct client_config {
  const char *domain; /* of the addresses */
  const char *host;   /* where the services are */
};
/* Records of the DNS, a line each as a zone file has them; the XML documents.  All appended: 1 or 0
 * (memory). */
int client_config_records(const struct client_config *c, stralloc *out) MUST_CHECK;
int client_config_autoconfig(const struct client_config *c, stralloc *out) MUST_CHECK;
int client_config_autodiscover(const struct client_config *c, stralloc *out) MUST_CHECK;

#endif
