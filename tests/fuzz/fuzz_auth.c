/* AUTH PLAIN, LOGIN and CRAM: what a client sends, line by line in base64 as on the wire.  The first byte
 * says which mechanism, its top bit that the first line stands in the command.  Whatever comes, the exchange
 * ends, and what it gives is what the messages held. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypt/cram_message.h"
#include "user/sasl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct wire {
  const char *s;
  size_t n;
};

/* The next line, decoded; SASL_ENDED where there is none, or it is no base64. */
static enum sasl_verdict line(struct wire *w, stralloc *out) {
  size_t n = bytes_chr(w->s, w->n, '\n');
  int ok = w->n && sasl_decode(w->s, n, out) == 1;

  w->s += n < w->n ? n + 1 : n;
  w->n -= n < w->n ? n + 1 : n;
  return ok ? SASL_YES : SASL_ENDED;
}

static enum sasl_verdict ask(struct sasl *x, const char *challenge, size_t n, stralloc *answer) {
  (void)challenge, (void)n;
  return line(x->context, answer);
}

static enum sasl_verdict malformed(struct sasl *x, const char *what) {
  (void)x, (void)what;
  return SASL_ENDED;
}

static enum sasl_verdict nomem(struct sasl *x) {
  (void)x;
  return SASL_ENDED;
}

static enum sasl_verdict suspect(struct sasl *x, const char *why) {
  (void)x, (void)why;
  return SASL_NO;
}

static const struct sasl_carrier carrier = {ask, malformed, nomem, suspect};

static void cram(struct wire *w, unsigned char method) {
  stralloc answer = STRALLOC_INIT;
  size_t name = 0;

  if (line(w, &answer) == SASL_YES && cram_split(stralloc_cstr(&answer), answer.len, method, &name) &&
      (!name || name >= answer.len || answer.s[name] != ' ' || memchr(answer.s + name + 1, ' ', answer.len - name - 1)))
    abort();
  stralloc_free(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct wire w = {(const char *)data + (size > 0), size - (size > 0)};
  struct sasl x = {.carrier = &carrier, .context = &w, .service = "smtp", .ip = "192.0.2.1"};
  stralloc initial = STRALLOC_INIT;
  enum sasl_verdict v;

  if (!size) return 0;
  if ((*data & 15) > 1) {
    cram(&w, *data & 15);
    return 0;
  }
  if (*data & 128) {
    if (line(&w, &initial) == SASL_YES) x.initial = &initial;
  }
  v = *data & 1 ? sasl_login(&x) : sasl_plain(&x);
  if (v != SASL_YES && v != SASL_NO && v != SASL_ENDED) abort();
  if (!(*data & 1) && v == SASL_YES && memchr(stralloc_cstr(&x.user), 0, x.user.len)) abort();
  sasl_forget(&x);
  stralloc_free(&initial);
  return 0;
}
