/* auth_oauth: logins with a token instead of a password: OAUTHBEARER (RFC 7628) and XOAUTH2.
 * What a token is worth only its issuer knows: the program of control/oauthprogram asks. */
#include <string.h>

#include "base/json.h"
#include "base/words.h"
#include "crypt/gs2.h"
#include "crypt/oauth_message.h"
#include "smtp/auth.h"

#define WORDS_MAX 32
#define INPUT_MAX 16384 /* tokens are longer than checkpassword foresaw; a pipe holds more */

/* The two differ in how they say it. */
struct dialect {
  int (*parse)(const char *s, size_t n, struct oauth_message *m);
  int escaped; /* the name is a saslname */
  const char *refusal; /* JSON, without its end */
};
static const struct dialect bearer = {oauthbearer_parse, 1, "{\"status\":\"invalid_token\""};
static const struct dialect xoauth2 = {xoauth2_parse, 0, "{\"status\":\"400\",\"schemes\":\"Bearer\""};

static enum auth_verdict ask_program(struct auth *a) {
  stralloc copy = STRALLOC_INIT;
  char *words[WORDS_MAX + 1];
  const struct auth_question q = {words, INPUT_MAX, 0};
  enum auth_verdict v = AUTH_TEMPFAIL;

  if (!stralloc_copys(&copy, conf_line(a->s->conf, SET_oauthprogram))) v = auth_nomem(a);
  else if (words_split(copy.s, words, WORDS_MAX)) v = auth_program(a, &q);
  else strerr_set(&a->e, "control/oauthprogram: not a command: ", copy.s, (char *)0);
  stralloc_free(&copy);
  return v;
}

/* The client learns why, and has to answer before the exchange can fail. */
static enum auth_verdict explain(struct auth *a, const struct dialect *d) {
  const char *scope = conf_line(a->s->conf, SET_xoauth2_scope);
  stralloc text = STRALLOC_INIT, answer = STRALLOC_INIT;
  enum auth_verdict v;

  if (stralloc_copys(&text, d->refusal) &&
      (!*scope || (stralloc_catlit(&text, ",\"scope\":") && json_string(&text, scope, strlen(scope)))) &&
      stralloc_append(&text, '}'))
    v = auth_ask(a, text.s, text.len, &answer);
  else v = auth_nomem(a);
  stralloc_free(&text);
  stralloc_free(&answer);
  return v == AUTH_YES ? AUTH_NO : v;
}

static enum auth_verdict take(struct auth *a, const struct dialect *d, const stralloc *message) {
  struct oauth_message m;
  int named;

  if (!d->parse(stralloc_cstr(message), message->len, &m)) return auth_malformed(a, "not a name with a bearer token");
  named = d->escaped ? gs2_name(&a->user, m.name, m.name_n) : stralloc_copyb(&a->user, m.name, m.name_n) ? 1 : -1;
  if (!named) return auth_malformed(a, "a name that cannot be compared");
  return named == 1 && stralloc_copyb(&a->secret, m.token, m.token_n) ? AUTH_YES : auth_nomem(a);
}

static enum auth_verdict exchange(struct auth *a, const struct dialect *d) {
  stralloc message = STRALLOC_INIT;
  enum auth_verdict v = auth_first(a, &message);

  if (v == AUTH_YES) v = take(a, d, &message);
  stralloc_wipe(&message);
  stralloc_free(&message);
  if (v == AUTH_YES) v = ask_program(a);
  return v == AUTH_NO ? explain(a, d) : v;
}

enum auth_verdict auth_oauthbearer(struct auth *a) {
  return exchange(a, &bearer);
}

enum auth_verdict auth_xoauth2(struct auth *a) {
  return exchange(a, &xoauth2);
}
