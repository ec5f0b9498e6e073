/* sasl_oauth: logins with a token instead of a password: OAUTHBEARER (RFC 7628) and XOAUTH2.
 * What a token is worth only its issuer knows: the caller brings a judge. */
#include <string.h>

#include "base/json.h"
#include "crypt/gs2.h"
#include "crypt/oauth_message.h"
#include "user/sasl.h"

/* The two differ in how they say it. */
struct dialect {
  int (*parse)(const char *s, size_t n, struct oauth_message *m);
  int escaped; /* the name is a saslname */
  const char *refusal; /* JSON, without its end */
};
static const struct dialect bearer = {oauthbearer_parse, 1, "{\"status\":\"invalid_token\""};
static const struct dialect xoauth2 = {xoauth2_parse, 0, "{\"status\":\"400\",\"schemes\":\"Bearer\""};

/* The client learns why, and has to answer before the exchange can fail. */
static enum sasl_verdict explain(struct sasl *x, const struct dialect *d, const char *scope) {
  stralloc text = STRALLOC_INIT, answer = STRALLOC_INIT;
  enum sasl_verdict v;

  if (stralloc_copys(&text, d->refusal) &&
      (!*scope || (stralloc_catlit(&text, ",\"scope\":") && json_string(&text, scope, strlen(scope)))) &&
      stralloc_append(&text, '}'))
    v = x->carrier->ask(x, text.s, text.len, &answer);
  else v = x->carrier->nomem(x);
  stralloc_free(&text);
  stralloc_free(&answer);
  return v == SASL_YES ? SASL_NO : v;
}

static enum sasl_verdict take(struct sasl *x, const struct dialect *d, const stralloc *message) {
  struct oauth_message m;
  int named;

  if (!d->parse(stralloc_cstr(message), message->len, &m)) return x->carrier->malformed(x, "not a name with a bearer token");
  named = d->escaped ? gs2_name(&x->user, m.name, m.name_n) : stralloc_copyb(&x->user, m.name, m.name_n) ? 1 : -1;
  if (!named) return x->carrier->malformed(x, "a name that cannot be compared");
  return named == 1 && stralloc_copyb(&x->secret, m.token, m.token_n) ? SASL_YES : x->carrier->nomem(x);
}

static enum sasl_verdict exchange(struct sasl *x, const struct dialect *d, sasl_judge *judge, const char *scope) {
  stralloc message = STRALLOC_INIT;
  enum sasl_verdict v = sasl_first(x, &message);

  if (v == SASL_YES) v = take(x, d, &message);
  stralloc_wipe(&message);
  stralloc_free(&message);
  if (v == SASL_YES) v = judge(x);
  return v == SASL_NO ? explain(x, d, scope) : v;
}

enum sasl_verdict sasl_oauthbearer(struct sasl *x, sasl_judge *judge, const char *scope) {
  return exchange(x, &bearer, judge, scope);
}

enum sasl_verdict sasl_xoauth2(struct sasl *x, sasl_judge *judge, const char *scope) {
  return exchange(x, &xoauth2, judge, scope);
}
