/* sasl_plain: the mechanisms that carry a password as it is: PLAIN (RFC 4616) and LOGIN. */
#include <string.h>

#include "base/bytes.h"
#include "user/sasl.h"

/* authorization NUL name NUL password.  Acting for somebody else is not done here. */
static enum sasl_verdict split(struct sasl *x, const stralloc *m) {
  const char *text = stralloc_cstr(m);
  size_t name = bytes_chr(text, m->len, 0) + 1, secret;

  secret = name < m->len ? name + bytes_chr(text + name, m->len - name, 0) + 1 : m->len + 1;
  if (secret > m->len) return x->carrier->malformed(x, "not a PLAIN response");
  if (!stralloc_copyb(&x->user, text + name, secret - name - 1) ||
      !stralloc_copyb(&x->secret, text + secret, m->len - secret))
    return x->carrier->nomem(x);
  return name == 1 || !strcmp(text, text + name) ? SASL_YES : SASL_NO;
}

enum sasl_verdict sasl_plain(struct sasl *x) {
  stralloc message = STRALLOC_INIT;
  enum sasl_verdict v = sasl_first(x, &message);

  if (v == SASL_YES) v = split(x, &message);
  stralloc_wipe(&message);
  stralloc_free(&message);
  return v;
}

enum sasl_verdict sasl_login(struct sasl *x) {
  static const char name[] = "Username:", password[] = "Password:";
  enum sasl_verdict v = SASL_YES;

  if (!x->initial) v = x->carrier->ask(x, name, sizeof name - 1, &x->user);
  else if (!stralloc_copy(&x->user, x->initial)) v = x->carrier->nomem(x);
  return v == SASL_YES ? x->carrier->ask(x, password, sizeof password - 1, &x->secret) : v;
}
