/* auth_cram: CRAM-MD5 (RFC 2195) and its kin of other digests: the client shows that it knows
 * the password by a keyed digest of our challenge.  Whoever checks that must have the
 * password itself, or as good as that: the program of the command line. */
#include <string.h>

#include "base/bytes.h"
#include "base/now.h"
#include "smtp/auth.h"

#define CHALLENGE 18 /* random bytes in it */

static const struct {
  unsigned char method;
  size_t digits;
} digests[] = {{3, 32}, {4, 40}, {5, 56}, {6, 64}, {7, 96}, {8, 128}, {9, 40}};

/* Has the answer that method's number of small hexadecimal digits? */
static int digest_ok(unsigned char method, const char *s, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f'))) return 0;
  for (size_t i = 0; i < sizeof digests / sizeof *digests; ++i)
    if (digests[i].method == method) return digests[i].digits == n;
  return 0;
}

/* Nobody can foresee it: <random.time@host>. */
static enum sasl_verdict make_challenge(struct auth *a) {
  if (!stralloc_append(&a->sasl.secret, '<')) return auth_nomem(a);
  if (!sasl_random(&a->sasl, CHALLENGE, &a->sasl.secret)) return SASL_TEMPFAIL;
  if (stralloc_append(&a->sasl.secret, '.') && stralloc_cati64(&a->sasl.secret, wall_now()) &&
      stralloc_catm(&a->sasl.secret, "@", a->s->auth[0], ">", (char *)0))
    return SASL_YES;
  return auth_nomem(a);
}

/* A name, which may hold blanks, one blank, the digest. */
static enum sasl_verdict split(struct auth *a, const stralloc *answer) {
  const char *s = stralloc_cstr(answer);
  size_t n = answer->len, name = bytes_rchr(s, n, ' ');

  if (!name || name == n || !digest_ok(a->m->method, s + name + 1, n - name - 1))
    return auth_malformed(a, "not a name with a digest");
  if (stralloc_copyb(&a->sasl.user, s, name) && stralloc_copyb(&a->sasl.response, s + name + 1, n - name - 1)) return SASL_YES;
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
