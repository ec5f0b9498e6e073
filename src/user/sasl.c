/* sasl: see sasl.h. */
#include "user/sasl.h"

#include <sys/random.h>

#include "base/base64.h"

void sasl_forget(struct sasl *x) {
  stralloc *const given[] = {&x->user, &x->secret, &x->response};

  for (size_t i = 0; i < sizeof given / sizeof *given; ++i) {
    stralloc_wipe(given[i]);
    stralloc_free(given[i]);
  }
}

int sasl_decode(const char *text, size_t n, stralloc *out) {
  stralloc_cut(out, 0);
  return n == 1 && *text == '=' ? 1 : base64_decode(out, text, n);
}

enum sasl_verdict sasl_first(struct sasl *x, stralloc *answer) {
  if (!x->initial) return x->carrier->ask(x, "", 0, answer);
  return stralloc_copy(answer, x->initial) ? SASL_YES : x->carrier->nomem(x);
}

int sasl_random(struct sasl *x, size_t n, stralloc *out) {
  char bytes[64];
  int ok;

  if (n > sizeof bytes || getrandom(bytes, n, 0) != (ssize_t)n) {
    strerr_sys(&x->e, "unable to get random bytes", (char *)0);
    return 0;
  }
  ok = base64_encode(out, bytes, n);
  if (!ok) strerr_set(&x->e, "out of memory", (char *)0);
  return ok;
}
