/* peer_trust: addresses whose word on who the client is we take. */
#ifndef USER_PEER_TRUST_H
#define USER_PEER_TRUST_H

#include "conf/conf.h"

/* Is the address, as text, in this setting, a list of patterns (mail/ip_pattern.h)? */
int peer_trusted(const struct conf *conf, enum setting list, const char *ip);

#endif
