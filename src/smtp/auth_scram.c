/* auth_scram: SCRAM (RFC 5802, RFC 7677), bound to the connection (-PLUS: RFC 9266, RFC 5929)
 * or not.  The messages are exchanged here; whether the proof fits is asked of inlookup
 * (user/lookup.h), so neither the password nor what is kept of it is ever in this process.
 *
 * Kept invariant: what is signed is what was said here, by both sides, in this exchange:
 * our half of the nonce is new each time, and the binding is that of this connection. */
#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "crypt/scram_message.h"
#include "smtp/auth.h"
#include "user/userdb.h"

#define NONCE 24 /* bytes of our half, as base64 four thirds of that */

struct scram {
  struct auth *a;
  char mechanism[24];       /* without -PLUS */
  stralloc message;         /* the client's first */
  struct scram_first first; /* points into it */
  const char *binding;      /* of the connection, of the type the client named */
  size_t binding_n;
  stralloc nonce;           /* both halves */
  stralloc challenge;       /* our first message */
  stralloc final;           /* the client's last */
};

static enum auth_verdict lookup_verdict(struct auth *a, enum lookup_verdict v) {
  return v == LOOKUP_NONE ? AUTH_NO : v == LOOKUP_TEMPFAIL ? AUTH_TEMPFAIL : AUTH_YES;
}

static deadline lookup_deadline(const struct auth *a) {
  return deadline_in((int64_t)conf_number(a->s->conf, SET_timeoutread));
}

/* Does the client's idea of binding fit the mechanism, and what we offer? */
static enum auth_verdict check_flag(struct scram *x) {
  const struct gs2 *g = &x->first.gs2;
  struct auth *a = x->a;
  int bound = a->m->judge == AUTH_BY_BINDING;

  switch (g->flag) {
    case GS2_UNBOUND: return bound ? auth_malformed(a, "this mechanism binds the login to the connection") : AUTH_YES;
    case GS2_UNSEEN:
      if (bound) return auth_malformed(a, "this mechanism binds the login to the connection");
      /* It can bind, and did not see that we offer it: somebody took it out of our EHLO. */
      return auth_offers_binding(a->s) ? auth_suspect(a, "the client was not shown the mechanisms with binding") : AUTH_YES;
    case GS2_BOUND:
      if (!bound) return auth_malformed(a, "this mechanism does not bind the login to the connection");
      x->binding = tls_binding(&a->s->c.tls_info, g->binding, g->binding_n, &x->binding_n);
      return x->binding ? AUTH_YES : auth_malformed(a, "this type of binding is not to be had");
  }
  return AUTH_NO;
}

/* Who logs in, and for whom. */
static enum auth_verdict take_name(struct scram *x) {
  const struct scram_first *f = &x->first;
  struct auth *a = x->a;
  stralloc other = STRALLOC_INIT;
  int r = gs2_name(&a->user, f->name, f->name_n), same = 1;

  if (r == 1 && f->gs2.authzid) {
    r = gs2_name(&other, f->gs2.authzid, f->gs2.authzid_n);
    same = r == 1 && stralloc_equals(&other, a->user.s);
  }
  stralloc_free(&other);
  if (r == -1) return auth_nomem(a);
  if (r == 0) return auth_malformed(a, "a name that cannot be compared");
  return same ? AUTH_YES : auth_malformed(a, "you may act for yourself only");
}

static enum auth_verdict read_first(struct scram *x) {
  enum auth_verdict v = auth_first(x->a, &x->message);

  if (v != AUTH_YES) return v;
  if (!scram_first_parse(stralloc_cstr(&x->message), x->message.len, &x->first))
    return auth_malformed(x->a, "not the first message of SCRAM");
  v = take_name(x);
  return v == AUTH_YES ? check_flag(x) : v;
}

static enum auth_verdict make_challenge(struct scram *x) {
  struct auth *a = x->a;
  struct lookup_scram keys = {STRALLOC_INIT, 0};
  enum auth_verdict v = lookup_verdict(
      a, lookup_scram_first(a->s->c.lookup, a->user.s, x->mechanism, lookup_deadline(a), &keys, &a->e));

  if (v == AUTH_YES) {
    if (!stralloc_copyb(&x->nonce, x->first.nonce, x->first.nonce_n)) v = auth_nomem(a);
    else if (!auth_random(a, NONCE, &x->nonce)) v = AUTH_TEMPFAIL;
    else if (!scram_challenge(&x->challenge, x->nonce.s, keys.salt.s, keys.iterations)) v = auth_nomem(a);
  }
  stralloc_free(&keys.salt);
  return v;
}

/* Is that the header the client began with, and behind it our connection's binding? */
static enum auth_verdict check_channel(struct scram *x, const struct scram_final *f) {
  stralloc said = STRALLOC_INIT;
  size_t header = x->first.gs2.len;
  int got = base64_decode(&said, f->channel, f->channel_n);
  int fits = got == 1 && said.len == header + x->binding_n && !memcmp(said.s, x->message.s, header) &&
             (!x->binding_n || !memcmp(said.s + header, x->binding, x->binding_n));

  stralloc_free(&said);
  if (got == -1) return auth_nomem(x->a);
  return fits ? AUTH_YES : auth_suspect(x->a, "the login is bound to another connection");
}

/* The client's last message answers our challenge on this connection. */
static enum auth_verdict read_final(struct scram *x, struct scram_final *f) {
  struct auth *a = x->a;
  enum auth_verdict v = auth_ask(a, x->challenge.s, x->challenge.len, &x->final);

  if (v != AUTH_YES) return v;
  if (!scram_final_parse(stralloc_cstr(&x->final), x->final.len, f)) return auth_malformed(a, "not the last message of SCRAM");
  if (!bytes_equal(f->nonce, f->nonce_n, x->nonce.s, x->nonce.len)) return auth_suspect(a, "the nonce is not that of this exchange");
  return check_channel(x, f);
}

/* What both sides have signed, and the proof, to inlookup. */
static enum auth_verdict ask_lookup(struct scram *x, const struct scram_final *f, stralloc *signature) {
  struct auth *a = x->a;
  struct lookup_account account = {.inactive = 0};
  stralloc text = STRALLOC_INIT, proof = STRALLOC_INIT;
  enum auth_verdict v;

  if (stralloc_copyb(&text, x->first.bare, x->first.bare_n) && stralloc_append(&text, ',') &&
      stralloc_cat(&text, &x->challenge) && stralloc_append(&text, ',') &&
      stralloc_catb(&text, x->final.s, f->unproven_n) && stralloc_copyb(&proof, f->proof, f->proof_n)) {
    const struct lookup_proof p = {a->user.s, x->mechanism, "smtp", a->s->c.ip, text.s, proof.s};

    v = lookup_verdict(a, lookup_scram_final(a->s->c.lookup, &p, lookup_deadline(a), signature, &account, &a->e));
    if (v == AUTH_YES && account.flags & USER_NO_RELAY) v = AUTH_YES_NO_RELAY;
  } else {
    v = auth_nomem(a);
  }
  lookup_account_free(&account);
  stralloc_free(&text);
  stralloc_free(&proof);
  return v;
}

/* The client learns that we know the password too, and has nothing to add. */
static enum auth_verdict show_signature(struct scram *x, const stralloc *signature, enum auth_verdict v) {
  stralloc text = STRALLOC_INIT, answer = STRALLOC_INIT;
  enum auth_verdict read = AUTH_ENDED;

  if (stralloc_catm(&text, "v=", signature->s, (char *)0)) read = auth_ask(x->a, text.s, text.len, &answer);
  else auth_nomem(x->a);
  if (read == AUTH_YES && answer.len) read = auth_malformed(x->a, "nothing was to be said to that");
  stralloc_free(&text);
  stralloc_free(&answer);
  return read == AUTH_YES ? v : read;
}

static enum auth_verdict converse(struct scram *x) {
  stralloc signature = STRALLOC_INIT;
  struct scram_final final;
  enum auth_verdict v = read_first(x);

  if (v == AUTH_YES) v = make_challenge(x);
  if (v == AUTH_YES) v = read_final(x, &final);
  if (v == AUTH_YES) v = ask_lookup(x, &final, &signature);
  if (v == AUTH_YES || v == AUTH_YES_NO_RELAY) v = show_signature(x, &signature, v);
  stralloc_free(&signature);
  return v;
}

enum auth_verdict auth_scram(struct auth *a) {
  static const char plus[] = "-PLUS";
  struct scram x = {.a = a};
  size_t n = strlen(a->m->name);
  enum auth_verdict v;

  if (a->m->judge == AUTH_BY_BINDING) n -= sizeof plus - 1;
  memcpy(x.mechanism, a->m->name, n);
  v = converse(&x);
  stralloc_free(&x.message);
  stralloc_free(&x.nonce);
  stralloc_free(&x.challenge);
  stralloc_free(&x.final);
  return v;
}
