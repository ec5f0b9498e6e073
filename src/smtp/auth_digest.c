/* auth_digest: DIGEST-MD5 (RFC 2831, obsolete): as auth_cram.c, with a nonce of the client's,
 * and a digest by which the server shows that it knows the password too.  The program of the
 * command line checks the one and makes the other, on descriptor 6. */
#include <string.h>

#include "base/bytes.h"
#include "crypt/digest_message.h"
#include "smtp/auth.h"

#define NONCE 24 /* random bytes */
#define DIGITS 32

static int is(const struct digest_message *m, enum digest_field f, const char *want) {
  return stralloc_equals(&m->field[f], want);
}

static int is_hex(const char *s, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f'))) return 0;
  return 1;
}

/* smtp/HOST, where the host is us. */
static int uri_ok(const struct auth *a, const stralloc *uri) {
  const struct session *s = a->s;
  const char *const ours[] = {s->auth[0], s->c.local_host, conf_line(s->conf, SET_me)};
  const char *host = stralloc_cstr(uri) + strlen("smtp/");

  if (!stralloc_starts(uri, "smtp/")) return 0;
  for (size_t i = 0; i < sizeof ours / sizeof *ours; ++i)
    if (*ours[i] && str_caseequal(host, ours[i])) return 1;
  return 0;
}

/* What the client answered, apart from its digest. */
static enum sasl_verdict judge(struct auth *a, const struct digest_message *m, const char *nonce) {
  const stralloc *response = &m->field[DIGEST_RESPONSE];

  if (!m->field[DIGEST_USERNAME].len || !m->field[DIGEST_CNONCE].len || response->len != DIGITS ||
      !is_hex(response->s, DIGITS))
    return auth_malformed(a, "not an answer of DIGEST-MD5");
  if (m->seen & 1u << DIGEST_CHARSET && !str_caseequal(m->field[DIGEST_CHARSET].s, "utf-8"))
    return auth_malformed(a, "not a charset of DIGEST-MD5");
  if (m->seen & 1u << DIGEST_QOP && !is(m, DIGEST_QOP, "auth")) return auth_malformed(a, "that protection is not offered");
  if (!stralloc_copy(&a->sasl.user, &m->field[DIGEST_USERNAME])) return auth_nomem(a);
  if (m->seen & 1u << DIGEST_AUTHZID && !is(m, DIGEST_AUTHZID, a->sasl.user.s))
    return auth_malformed(a, "you may act for yourself only");
  if (!is(m, DIGEST_NONCE, nonce) || !is(m, DIGEST_NC, "00000001"))
    return auth_suspect(a, "the nonce is not that of this exchange");
  if (!is(m, DIGEST_REALM, a->s->auth[0]) || !uri_ok(a, &m->field[DIGEST_URI]))
    return auth_suspect(a, "the login was made for another server");
  return SASL_YES;
}

static enum sasl_verdict read_answer(struct auth *a, const stralloc *answer, const char *nonce) {
  struct digest_message m = {.seen = 0};
  int parsed = digest_parse(stralloc_cstr(answer), answer->len, &m);
  enum sasl_verdict v = parsed == 1 ? judge(a, &m, nonce) : parsed ? auth_nomem(a) : auth_malformed(a, "not an answer of DIGEST-MD5");

  if (v == SASL_YES && !(stralloc_copy(&a->sasl.secret, &m.field[DIGEST_RESPONSE]) && digest_list(&a->sasl.response, &m)))
    v = auth_nomem(a);
  digest_free(&m);
  return v;
}

/* The program's own digest to the client, who has nothing to add. */
static enum sasl_verdict show(struct auth *a, const stralloc *proof, enum sasl_verdict v) {
  stralloc text = STRALLOC_INIT, answer = STRALLOC_INIT;
  enum sasl_verdict read = SASL_TEMPFAIL;

  if (proof->len < DIGITS || !is_hex(proof->s, DIGITS))
    strerr_set(&a->sasl.e, a->s->auth[1], " gave no digest for DIGEST-MD5", (char *)0);
  else if (stralloc_catlit(&text, "rspauth=") && stralloc_catb(&text, proof->s, DIGITS))
    read = auth_ask(a, text.s, text.len, &answer);
  else read = auth_nomem(a);
  if (read == SASL_YES && answer.len) read = auth_malformed(a, "nothing was to be said to that");
  stralloc_free(&text);
  stralloc_free(&answer);
  return read == SASL_YES ? v : read;
}

static enum sasl_verdict converse(struct auth *a, const char *nonce, const stralloc *challenge) {
  stralloc answer = STRALLOC_INIT, proof = STRALLOC_INIT;
  enum sasl_verdict v = auth_ask(a, challenge->s, challenge->len, &answer);

  if (v == SASL_YES) v = read_answer(a, &answer, nonce);
  if (v == SASL_YES) v = auth_check(a, &proof);
  if (v == SASL_YES || v == SASL_YES_NO_RELAY) v = show(a, &proof, v);
  stralloc_wipe(&answer);
  stralloc_free(&answer);
  stralloc_free(&proof);
  return v;
}

enum sasl_verdict auth_digest(struct auth *a) {
  stralloc nonce = STRALLOC_INIT, challenge = STRALLOC_INIT;
  enum sasl_verdict v = SASL_TEMPFAIL;

  if (a->sasl.initial) return auth_malformed(a, "here the server speaks first");
  if (sasl_random(&a->sasl, NONCE, &nonce)) {
    if (stralloc_catm(&challenge, "realm=\"", a->s->auth[0], "\",nonce=\"", nonce.s,
                      "\",qop=\"auth\",algorithm=md5-sess,charset=utf-8", (char *)0))
      v = converse(a, nonce.s, &challenge);
    else v = auth_nomem(a);
  }
  stralloc_free(&nonce);
  stralloc_free(&challenge);
  return v;
}
