/* gs2: the header with which the client's first message of SCRAM and OAUTHBEARER begins
 * (RFC 5801 section 4): is the login bound to the connection, and for whom is it. */
#ifndef CRYPT_GS2_H
#define CRYPT_GS2_H

#include "base/stralloc.h"

enum gs2_flag {
  GS2_UNBOUND, /* n: the client cannot bind */
  GS2_UNSEEN,  /* y: it could, and believes that we cannot */
  GS2_BOUND,   /* p: it does */
};

/* Points into the message. */
struct gs2 {
  enum gs2_flag flag;
  const char *binding; /* type, with GS2_BOUND */
  size_t binding_n;
  const char *authzid; /* as sent (gs2_name), or null */
  size_t authzid_n;
  size_t len; /* of the header, with its last comma */
};

/* 1, or 0 when the message does not begin with a header. */
int gs2_parse(const char *s, size_t n, struct gs2 *g) MUST_CHECK;
/* A saslname with its escapes undone, into out: 1; 0 when it is none, no UTF-8, or has control
 * characters; -1 memory.  Whose it is, once prepared, is told elsewhere (user/login_name.h). */
int gs2_name(stralloc *out, const char *s, size_t n) MUST_CHECK;

#endif
