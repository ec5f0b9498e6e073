/* digest_message: see digest_message.h. */
#include "crypt/digest_message.h"

#include <string.h>

#include "base/bytes.h"

static const struct {
  const char *name;
  int quoted;
} fields[DIGEST_FIELDS] = {
    [DIGEST_USERNAME] = {"username", 1}, [DIGEST_REALM] = {"realm", 1},        [DIGEST_NONCE] = {"nonce", 1},
    [DIGEST_CNONCE] = {"cnonce", 1},     [DIGEST_NC] = {"nc", 0},              [DIGEST_QOP] = {"qop", 0},
    [DIGEST_URI] = {"digest-uri", 1},    [DIGEST_RESPONSE] = {"response", 0},  [DIGEST_CHARSET] = {"charset", 0},
    [DIGEST_AUTHZID] = {"authzid", 1},
};

/* What is left of the text. */
struct rest {
  const char *s;
  size_t n;
};

static void step(struct rest *r, size_t n) {
  r->s += n;
  r->n -= n;
}

static void skip_blanks(struct rest *r) {
  while (r->n && (*r->s == ' ' || *r->s == '\t' || *r->s == '\r' || *r->s == '\n')) step(r, 1);
}

/* A token of RFC 2616: how long. */
static size_t token(const struct rest *r) {
  size_t i = 0;

  while (i < r->n && r->s[i] > ' ' && r->s[i] < 127 && !strchr("()<>@,;:\\\"/[]?={}", r->s[i])) ++i;
  return i;
}

/* A quoted string, without quotes and backslashes: 1, 0, -1. */
static int quoted(struct rest *r, stralloc *out) {
  for (step(r, 1); r->n && *r->s != '"'; step(r, 1)) {
    if (*r->s == '\\') step(r, 1);
    if (!r->n || !*r->s) return 0;
    if (!stralloc_append(out, *r->s)) return -1;
  }
  if (!r->n) return 0;
  step(r, 1);
  return 1;
}

static int value(struct rest *r, stralloc *out) {
  size_t n;

  stralloc_cut(out, 0);
  if (r->n && *r->s == '"') return quoted(r, out);
  n = token(r);
  if (!n) return 0;
  if (!stralloc_copyb(out, r->s, n)) return -1;
  step(r, n);
  return 1;
}

static int find(const char *s, size_t n) {
  for (int i = 0; i < DIGEST_FIELDS; ++i)
    if (strlen(fields[i].name) == n && bytes_caseequal(fields[i].name, s, n)) return i;
  return DIGEST_FIELDS;
}

/* Would the value be the same without quotes? */
static int is_token(const stralloc *v) {
  const struct rest r = {stralloc_cstr(v), v->len};

  return v->len && token(&r) == v->len;
}

/* name=value: 1, 0, -1.  Quotes around a value that needs none do not matter; those that
 * stand without in a list must need none. */
static int pair(struct rest *r, struct digest_message *m, stralloc *ignored) {
  size_t n = token(r);
  int i = find(r->s, n), got;

  if (!n) return 0;
  if (i < DIGEST_FIELDS && m->seen & 1u << i) return 0;
  step(r, n);
  skip_blanks(r);
  if (!r->n || *r->s != '=') return 0;
  step(r, 1);
  skip_blanks(r);
  if (i == DIGEST_FIELDS) return value(r, ignored);
  m->seen |= 1u << i;
  got = value(r, &m->field[i]);
  return got == 1 && !fields[i].quoted && !is_token(&m->field[i]) ? 0 : got;
}

int digest_parse(const char *s, size_t n, struct digest_message *m) {
  struct rest r = {s, n};
  stralloc ignored = STRALLOC_INIT;
  int ok = 1;

  for (skip_blanks(&r); ok == 1 && r.n; skip_blanks(&r)) {
    if (*r.s != ',') ok = pair(&r, m, &ignored);
    skip_blanks(&r);
    if (ok == 1 && r.n && *r.s != ',') ok = 0;
    if (ok == 1 && r.n) step(&r, 1);
  }
  stralloc_free(&ignored);
  return ok;
}

static int put_value(stralloc *out, const stralloc *v, int with_quotes) {
  if (!with_quotes) return stralloc_cat(out, v);
  if (!stralloc_append(out, '"')) return 0;
  for (size_t i = 0; i < v->len; ++i) {
    if ((v->s[i] == '"' || v->s[i] == '\\') && !stralloc_append(out, '\\')) return 0;
    if (!stralloc_append(out, v->s[i])) return 0;
  }
  return stralloc_append(out, '"');
}

int digest_list(stralloc *out, const struct digest_message *m) {
  const char *between = "";

  for (int i = 0; i < DIGEST_FIELDS; ++i) {
    if (i == DIGEST_USERNAME || i == DIGEST_RESPONSE || !(m->seen & 1u << i)) continue;
    if (!stralloc_catm(out, between, fields[i].name, "=", (char *)0) || !put_value(out, &m->field[i], fields[i].quoted))
      return 0;
    between = ",";
  }
  return 1;
}

void digest_free(struct digest_message *m) {
  for (int i = 0; i < DIGEST_FIELDS; ++i) stralloc_free(&m->field[i]);
  m->seen = 0;
}
