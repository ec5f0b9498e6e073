/* sasl_scram: SCRAM (RFC 5802, RFC 7677), bound to the connection (-PLUS: RFC 9266, RFC 5929)
 * or not.  The messages are exchanged here; whether the proof fits is asked of inlookup
 * (user/lookup.h), so neither the password nor what is kept of it is ever in this process.
 *
 * Kept invariant: what is signed is what was said here, by both sides, in this exchange:
 * our half of the nonce is new each time, and the binding is that of this connection. */
#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "crypt/scram_message.h"
#include "user/sasl.h"
#include "user/userdb.h"

#define NONCE 24 /* bytes of our half, as base64 four thirds of that */

struct scram {
  struct sasl *sasl;
  char mechanism[24];       /* without -PLUS */
  int bound;                /* it had one */
  stralloc message;         /* the client's first */
  struct scram_first first; /* points into it */
  const char *binding;      /* of the connection, of the type the client named */
  size_t binding_n;
  stralloc nonce;           /* both halves */
  stralloc challenge;       /* our first message */
  stralloc final;           /* the client's last */
};

static enum sasl_verdict lookup_verdict(enum lookup_verdict v) {
  return v == LOOKUP_NONE ? SASL_NO : v == LOOKUP_TEMPFAIL ? SASL_TEMPFAIL : SASL_YES;
}

static deadline lookup_deadline(const struct sasl *sasl) {
  return deadline_in(sasl->lookup_seconds);
}

/* Does the client's idea of binding fit the mechanism, and what we offer? */
static enum sasl_verdict check_flag(struct scram *x) {
  const struct gs2 *g = &x->first.gs2;
  struct sasl *sasl = x->sasl;
  int bound = x->bound;

  switch (g->flag) {
    case GS2_UNBOUND: return bound ? sasl->carrier->malformed(sasl, "this mechanism binds the login to the connection") : SASL_YES;
    case GS2_UNSEEN:
      if (bound) return sasl->carrier->malformed(sasl, "this mechanism binds the login to the connection");
      /* It can bind, and did not see that we offer it: somebody took it out of our EHLO. */
      return sasl->binding_offered ? sasl->carrier->suspect(sasl, "the client was not shown the mechanisms with binding") : SASL_YES;
    case GS2_BOUND:
      if (!bound) return sasl->carrier->malformed(sasl, "this mechanism does not bind the login to the connection");
      x->binding = !sasl->tls ? 0 : tls_binding(sasl->tls, g->binding, g->binding_n, &x->binding_n);
      return x->binding ? SASL_YES : sasl->carrier->malformed(sasl, "this type of binding is not to be had");
  }
  return SASL_NO;
}

/* Who logs in, and for whom. */
static enum sasl_verdict take_name(struct scram *x) {
  const struct scram_first *f = &x->first;
  struct sasl *sasl = x->sasl;
  stralloc other = STRALLOC_INIT;
  int r = gs2_name(&sasl->user, f->name, f->name_n), same = 1;

  if (r == 1 && f->gs2.authzid) {
    r = gs2_name(&other, f->gs2.authzid, f->gs2.authzid_n);
    same = r == 1 && stralloc_equals(&other, sasl->user.s);
  }
  stralloc_free(&other);
  if (r == -1) return sasl->carrier->nomem(sasl);
  if (r == 0) return sasl->carrier->malformed(sasl, "a name that cannot be compared");
  return same ? SASL_YES : sasl->carrier->malformed(sasl, "you may act for yourself only");
}

static enum sasl_verdict read_first(struct scram *x) {
  enum sasl_verdict v = sasl_first(x->sasl, &x->message);

  if (v != SASL_YES) return v;
  if (!scram_first_parse(stralloc_cstr(&x->message), x->message.len, &x->first))
    return x->sasl->carrier->malformed(x->sasl, "not the first message of SCRAM");
  v = take_name(x);
  return v == SASL_YES ? check_flag(x) : v;
}

static enum sasl_verdict make_challenge(struct scram *x) {
  struct sasl *sasl = x->sasl;
  struct lookup_scram keys = {STRALLOC_INIT, 0};
  enum sasl_verdict v = lookup_verdict(lookup_scram_first(sasl->lookup, sasl->user.s, x->mechanism, lookup_deadline(sasl), &keys, &sasl->e));

  if (v == SASL_YES) {
    if (!stralloc_copyb(&x->nonce, x->first.nonce, x->first.nonce_n)) v = sasl->carrier->nomem(sasl);
    else if (!sasl_random(sasl, NONCE, &x->nonce)) v = SASL_TEMPFAIL;
    else if (!scram_challenge(&x->challenge, x->nonce.s, keys.salt.s, keys.iterations)) v = sasl->carrier->nomem(sasl);
  }
  stralloc_free(&keys.salt);
  return v;
}

/* Is that the header the client began with, and behind it our connection's binding? */
static enum sasl_verdict check_channel(struct scram *x, const struct scram_final *f) {
  stralloc said = STRALLOC_INIT;
  size_t header = x->first.gs2.len;
  int got = base64_decode(&said, f->channel, f->channel_n);
  int fits = got == 1 && said.len == header + x->binding_n && !memcmp(said.s, x->message.s, header) &&
             (!x->binding_n || !memcmp(said.s + header, x->binding, x->binding_n));

  stralloc_free(&said);
  if (got == -1) return x->sasl->carrier->nomem(x->sasl);
  return fits ? SASL_YES : x->sasl->carrier->suspect(x->sasl, "the login is bound to another connection");
}

/* The client's last message answers our challenge on this connection. */
static enum sasl_verdict read_final(struct scram *x, struct scram_final *f) {
  struct sasl *sasl = x->sasl;
  enum sasl_verdict v = sasl->carrier->ask(sasl, x->challenge.s, x->challenge.len, &x->final);

  if (v != SASL_YES) return v;
  if (!scram_final_parse(stralloc_cstr(&x->final), x->final.len, f)) return sasl->carrier->malformed(sasl, "not the last message of SCRAM");
  if (!bytes_equal(f->nonce, f->nonce_n, x->nonce.s, x->nonce.len)) return sasl->carrier->suspect(sasl, "the nonce is not that of this exchange");
  return check_channel(x, f);
}

/* What both sides have signed, and the proof, to inlookup. */
static enum sasl_verdict ask_lookup(struct scram *x, const struct scram_final *f, stralloc *signature) {
  struct sasl *sasl = x->sasl;
  stralloc text = STRALLOC_INIT, proof = STRALLOC_INIT;
  enum sasl_verdict v;

  if (stralloc_copyb(&text, x->first.bare, x->first.bare_n) && stralloc_append(&text, ',') &&
      stralloc_cat(&text, &x->challenge) && stralloc_append(&text, ',') &&
      stralloc_catb(&text, x->final.s, f->unproven_n) && stralloc_copyb(&proof, f->proof, f->proof_n)) {
    const struct lookup_proof p = {sasl->user.s, x->mechanism, sasl->service, sasl->ip, text.s, proof.s};

    v = lookup_verdict(lookup_scram_final(sasl->lookup, &p, lookup_deadline(sasl), signature, sasl->account, &sasl->e));
    if (v == SASL_YES && sasl->account->flags & USER_NO_RELAY) v = SASL_YES_NO_RELAY;
  } else {
    v = sasl->carrier->nomem(sasl);
  }
  stralloc_free(&text);
  stralloc_free(&proof);
  return v;
}

/* The client learns that we know the password too, and has nothing to add. */
static enum sasl_verdict show_signature(struct scram *x, const stralloc *signature, enum sasl_verdict v) {
  stralloc text = STRALLOC_INIT, answer = STRALLOC_INIT;
  enum sasl_verdict read = SASL_ENDED;

  if (stralloc_catm(&text, "v=", signature->s, (char *)0)) read = x->sasl->carrier->ask(x->sasl, text.s, text.len, &answer);
  else x->sasl->carrier->nomem(x->sasl);
  if (read == SASL_YES && answer.len) read = x->sasl->carrier->malformed(x->sasl, "nothing was to be said to that");
  stralloc_free(&text);
  stralloc_free(&answer);
  return read == SASL_YES ? v : read;
}

static enum sasl_verdict converse(struct scram *x) {
  stralloc signature = STRALLOC_INIT;
  struct scram_final final;
  enum sasl_verdict v = read_first(x);

  if (v == SASL_YES) v = make_challenge(x);
  if (v == SASL_YES) v = read_final(x, &final);
  if (v == SASL_YES) v = ask_lookup(x, &final, &signature);
  if (v == SASL_YES || v == SASL_YES_NO_RELAY) v = show_signature(x, &signature, v);
  stralloc_free(&signature);
  return v;
}

enum sasl_verdict sasl_scram(struct sasl *sasl, const char *mechanism) {
  static const char plus[] = "-PLUS";
  struct scram x = {.sasl = sasl};
  size_t n = strlen(mechanism), tail = sizeof plus - 1;
  enum sasl_verdict v;

  x.bound = n > tail && !strcmp(mechanism + n - tail, plus);
  if (x.bound) n -= tail;
  if (n >= sizeof x.mechanism) return sasl->carrier->malformed(sasl, "not a mechanism");
  memcpy(x.mechanism, mechanism, n);
  v = converse(&x);
  stralloc_free(&x.message);
  stralloc_free(&x.nonce);
  stralloc_free(&x.challenge);
  stralloc_free(&x.final);
  return v;
}
