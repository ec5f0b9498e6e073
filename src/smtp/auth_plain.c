/* auth_plain: the mechanisms that carry a password as it is: PLAIN (RFC 4616) and
 * LOGIN. */
#include <string.h>

#include "base/bytes.h"
#include "smtp/auth.h"
#include "smtp/reply.h"

/* authorization NUL name NUL password.  Acting for somebody else is not done here. */
static enum auth_verdict split(struct auth *a, const stralloc *m) {
  const char *text = stralloc_cstr(m);
  size_t name = bytes_chr(text, m->len, 0) + 1, secret;

  secret = name < m->len ? name + bytes_chr(text + name, m->len - name, 0) + 1 : m->len + 1;
  if (secret > m->len) return auth_malformed(a, "not a PLAIN response");
  if (name > 1 && strcmp(text, text + name)) {
    reply_refuse(a->s, 535, "5.7.8", "you may act for yourself only");
    return AUTH_ENDED;
  }
  if (stralloc_copyb(&a->user, text + name, secret - name - 1) &&
      stralloc_copyb(&a->secret, text + secret, m->len - secret))
    return AUTH_YES;
  return auth_nomem(a);
}

enum auth_verdict auth_plain(struct auth *a) {
  stralloc message = STRALLOC_INIT;
  enum auth_verdict v = auth_first(a, &message);

  if (v == AUTH_YES) v = split(a, &message);
  stralloc_wipe(&message);
  stralloc_free(&message);
  return v == AUTH_YES ? auth_check(a, 0) : v;
}

enum auth_verdict auth_login(struct auth *a) {
  static const char name[] = "Username:", password[] = "Password:";
  enum auth_verdict v = AUTH_YES;

  if (!a->initial) v = auth_ask(a, name, sizeof name - 1, &a->user);
  else if (!stralloc_copy(&a->user, a->initial)) v = auth_nomem(a);
  if (v == AUTH_YES) v = auth_ask(a, password, sizeof password - 1, &a->secret);
  return v == AUTH_YES ? auth_check(a, 0) : v;
}
