/* scram_message: see scram_message.h. */
#include "crypt/scram_message.h"

#include <string.h>

#include "base/bytes.h"

/* The attribute at *s, "x=value", of this letter (0: any); *s moves behind it and its comma,
 * *more says whether there was one.  1 or 0. */
static int attribute(const char **s, size_t *n, char letter, const char **value, size_t *value_n, int *more) {
  size_t len = bytes_chr(*s, *n, ',');
  char c = len ? **s : 0;

  if (len < 2 || (*s)[1] != '=' || (letter && c != letter)) return 0;
  if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return 0;
  if (memchr(*s, 0, len)) return 0;
  *value = *s + 2;
  *value_n = len - 2;
  *more = len < *n;
  *s += len + (size_t)*more;
  *n -= len + (size_t)*more;
  return 1;
}

static int nonce_ok(const char *s, size_t n) {
  return n && n <= SCRAM_NONCE_MAX && bytes_isgraph(s, n);
}

int scram_first_parse(const char *s, size_t n, struct scram_first *f) {
  const char *value;
  size_t value_n;
  int more;

  if (n > SCRAM_FIRST_MAX || !gs2_parse(s, n, &f->gs2)) return 0;
  s += f->gs2.len;
  n -= f->gs2.len;
  f->bare = s;
  f->bare_n = n;
  if (!attribute(&s, &n, 'n', &f->name, &f->name_n, &more) || !more || !f->name_n) return 0;
  if (!attribute(&s, &n, 'r', &f->nonce, &f->nonce_n, &more) || !nonce_ok(f->nonce, f->nonce_n)) return 0;
  /* Extensions we do not know may be left alone. */
  while (more)
    if (!attribute(&s, &n, 0, &value, &value_n, &more) || !value_n) return 0;
  return 1;
}

int scram_final_parse(const char *s, size_t n, struct scram_final *f) {
  const char *start = s, *value;
  size_t value_n;
  int more;

  if (n > SCRAM_FINAL_MAX) return 0;
  if (!attribute(&s, &n, 'c', &f->channel, &f->channel_n, &more) || !more || !f->channel_n) return 0;
  if (!attribute(&s, &n, 'r', &f->nonce, &f->nonce_n, &more) || !more || !f->nonce_n) return 0;
  while (n && *s != 'p')
    if (!attribute(&s, &n, 0, &value, &value_n, &more) || !more || !value_n) return 0;
  f->unproven_n = (size_t)(s - start) - 1;
  return attribute(&s, &n, 'p', &f->proof, &f->proof_n, &more) && !more && f->proof_n;
}

int scram_challenge(stralloc *out, const char *nonce, const char *salt, uint64_t iterations) {
  return stralloc_catm(out, "r=", nonce, ",s=", salt, ",i=", (char *)0) && stralloc_catu64(out, iterations);
}
