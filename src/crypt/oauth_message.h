/* oauth_message: what a client with a token says: OAUTHBEARER (RFC 7628 section 3.1), and
 * XOAUTH2, which it grew out of. */
#ifndef CRYPT_OAUTH_MESSAGE_H
#define CRYPT_OAUTH_MESSAGE_H

#include "base/stralloc.h"

/* Points into the message. */
struct oauth_message {
  const char *name; /* as sent: of OAUTHBEARER a saslname (crypt/gs2.h) */
  size_t name_n;
  const char *token;
  size_t token_n;
};

/* 1, or 0 when it is none, names nobody, or has no bearer token. */
int oauthbearer_parse(const char *s, size_t n, struct oauth_message *m) MUST_CHECK;
int xoauth2_parse(const char *s, size_t n, struct oauth_message *m) MUST_CHECK;

#endif
