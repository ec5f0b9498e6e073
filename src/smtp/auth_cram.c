/* auth_cram: CRAM-MD5 (RFC 2195) and its kin of other digests: the client shows that it knows
 * the password by a keyed digest of our challenge.  Whoever checks that must have the
 * password itself, or as good as that: the program of the command line. */
#include "base/now.h"
#include "crypt/cram_message.h"
#include "smtp/auth.h"

#define CHALLENGE 18 /* random bytes in it */

/* Nobody can foresee it: <random.time@host>. */
static enum sasl_verdict make_challenge(struct auth *a) {
  if (!stralloc_append(&a->sasl.secret, '<')) return auth_nomem(a);
  if (!sasl_random(&a->sasl, CHALLENGE, &a->sasl.secret)) return SASL_TEMPFAIL;
  if (stralloc_append(&a->sasl.secret, '.') && stralloc_cati64(&a->sasl.secret, wall_now()) &&
      stralloc_catm(&a->sasl.secret, "@", a->s->auth[0], ">", (char *)0))
    return SASL_YES;
  return auth_nomem(a);
}

static enum sasl_verdict split(struct auth *a, const stralloc *answer) {
  const char *s = stralloc_cstr(answer);
  size_t name;

  if (!cram_split(s, answer->len, a->m->method, &name)) return auth_malformed(a, "not a name with a digest");
  if (stralloc_copyb(&a->sasl.user, s, name) && stralloc_copyb(&a->sasl.response, s + name + 1, answer->len - name - 1)) return SASL_YES;
  return auth_nomem(a);
}

enum sasl_verdict auth_cram(struct auth *a) {
  stralloc answer = STRALLOC_INIT;
  enum sasl_verdict v;

  if (a->sasl.initial) return auth_malformed(a, "here the server speaks first");
  v = make_challenge(a);
  if (v == SASL_YES) v = auth_ask(a, a->sasl.secret.s, a->sasl.secret.len, &answer);
  if (v == SASL_YES) v = split(a, &answer);
  stralloc_wipe(&answer);
  stralloc_free(&answer);
  return v == SASL_YES ? auth_check(a, 0) : v;
}
