/* scram_message: the messages of SCRAM (RFC 5802 section 7), taken apart and written;
 * what they prove is in crypt/scram.h. */
#ifndef CRYPT_SCRAM_MESSAGE_H
#define CRYPT_SCRAM_MESSAGE_H

#include <stdint.h>

#include "base/stralloc.h"
#include "crypt/gs2.h"

#define SCRAM_FIRST_MAX 768  /* longest messages taken: what is signed has to fit */
#define SCRAM_FINAL_MAX 1600 /* a question to inlookup */
#define SCRAM_NONCE_MAX 256

/* Point into the message. */
struct scram_first {
  struct gs2 gs2;
  const char *bare; /* the message without its header */
  size_t bare_n;
  const char *name; /* as sent: gs2_name */
  size_t name_n;
  const char *nonce;
  size_t nonce_n;
};
struct scram_final {
  const char *channel; /* base64 */
  size_t channel_n;
  const char *nonce;
  size_t nonce_n;
  size_t unproven_n; /* the message up to the comma before its proof */
  const char *proof; /* base64 */
  size_t proof_n;
};

/* The client's messages: 1, or 0 when it is none (an extension it insists on included). */
int scram_first_parse(const char *s, size_t n, struct scram_first *f) MUST_CHECK;
int scram_final_parse(const char *s, size_t n, struct scram_final *f) MUST_CHECK;
/* The server's first message; salt in base64.  1, or 0 (memory). */
int scram_challenge(stralloc *out, const char *nonce, const char *salt, uint64_t iterations) MUST_CHECK;

#endif
