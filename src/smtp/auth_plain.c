/* auth_plain: the mechanisms that carry a password as it is: PLAIN (RFC 4616) and
 * LOGIN. */
#include <string.h>

#include "base/bytes.h"
#include "smtp/auth.h"
#include "smtp/reply.h"

/* authorization NUL name NUL password.  Acting for somebody else is not done here. */
static enum auth_got split(struct session *s, const stralloc *m, struct credentials *c) {
  const char *text = stralloc_cstr(m);
  size_t name = bytes_chr(text, m->len, 0) + 1, secret;

  secret = name < m->len ? name + bytes_chr(text + name, m->len - name, 0) + 1 : m->len + 1;
  if (secret > m->len) {
    reply_refuse(s, 501, "5.5.2", "not a PLAIN response");
    return AUTH_BAD;
  }
  if (name > 1 && strcmp(text, text + name)) {
    reply_refuse(s, 535, "5.7.8", "you may act for yourself only");
    return AUTH_BAD;
  }
  if (stralloc_copyb(&c->user, text + name, secret - name - 1) &&
      stralloc_copyb(&c->secret, text + secret, m->len - secret))
    return AUTH_GOT;
  reply_close(s, "4.3.0", "out of memory");
  return AUTH_LOST;
}

enum auth_got auth_plain(struct session *s, const stralloc *initial, struct credentials *c) {
  stralloc answer = STRALLOC_INIT;
  enum auth_got got = AUTH_GOT;

  if (!initial) got = auth_ask(s, "", &answer);
  if (got == AUTH_GOT) got = split(s, initial ? initial : &answer, c);
  stralloc_wipe(&answer);
  stralloc_free(&answer);
  return got;
}

enum auth_got auth_login(struct session *s, const stralloc *initial, struct credentials *c) {
  enum auth_got got = AUTH_GOT;

  if (!initial) got = auth_ask(s, "Username:", &c->user);
  else if (!stralloc_copy(&c->user, initial)) {
    reply_close(s, "4.3.0", "out of memory");
    return AUTH_LOST;
  }
  return got == AUTH_GOT ? auth_ask(s, "Password:", &c->secret) : got;
}
