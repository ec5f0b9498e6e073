/* mime_entity: see mime_entity.h. */
#include "mail/mime_entity.h"

#include <string.h>

#include "base/bytes.h"
#include "mail/mime_parameter.h"

static int equals(const char *s, size_t n, const char *word) {
  return n == strlen(word) && bytes_caseequal(s, word, n);
}

static int is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What a line ends with, or nothing may hold. */
static int is_end(char c) {
  return c == '\r' || c == '\n' || !c;
}

enum mime_field mime_field_kind(const char *name, size_t n) {
  while (n && is_space(name[n - 1])) --n;
  if (equals(name, n, "Content-Type")) return MIME_FIELD_TYPE;
  return equals(name, n, "Content-Transfer-Encoding") ? MIME_FIELD_ENCODING : MIME_FIELD_OTHER;
}

/* A value without its comments (RFC 5322 3.2.2) and line ends, and without blanks around it: 1; 0 when a comment
 * or a quoted string has no end, or there is a bare CR, a bare LF or a NUL; -1 without memory. */
static int clean(const char *s, size_t n, stralloc *out) {
  size_t comments = 0;
  int quoted = 0, flawed = 0;

  for (size_t i = 0; i < n; ++i) {
    int pair = (quoted || comments) && s[i] == '\\' && i + 1 < n && !is_end(s[i + 1]);

    if (s[i] == '\r' && i + 1 < n && s[i + 1] == '\n') {
      ++i;
      continue;
    }
    flawed |= is_end(s[i]);
    if (!comments && (!stralloc_append(out, s[i]) || (pair && !stralloc_append(out, s[i + 1])))) return -1;
    if (pair) ++i;
    else if (s[i] == '"' && !comments) quoted = !quoted;
    else if (s[i] == '(' && !quoted) {
      if (!comments++) stralloc_cut(out, out->len - 1);
    } else if (s[i] == ')' && comments) --comments;
  }
  stralloc_chomp(out);
  for (n = 0; n < out->len && is_space(out->s[n]);) ++n;
  stralloc_shift(out, n);
  return !quoted && !comments && !flawed;
}

static enum mime_kind kind_of(const char *type, size_t n) {
  static const struct {
    const char *type;
    enum mime_kind kind;
  } known[] = {
      {"multipart/signed", MIME_SIGNED}, {"message/rfc822", MIME_MESSAGE}, {"message/global", MIME_MESSAGE}, {"message/news", MIME_MESSAGE},
  };

  for (size_t i = 0; i < sizeof known / sizeof *known; ++i)
    if (equals(type, n, known[i].type)) return known[i].kind;
  if (bytes_casestarts(type, n, "multipart/")) return MIME_MULTIPART;
  if (bytes_casestarts(type, n, "message/")) return MIME_FRAGMENT;
  return bytes_casestarts(type, n, "text/") ? MIME_TEXT : MIME_SINGLE;
}

/* Some readers take blanks off its end, where none are allowed. */
static int usable(const stralloc *boundary) {
  const char *s = stralloc_cstr(boundary);
  size_t n = boundary->len;

  return n && n <= MIME_BOUNDARY_MAX && !is_space(s[n - 1]) && !memchr(s, 0, n);
}

/* 1, or 0 without memory. */
static int take_boundary(struct mime_entity *e, const char *s, size_t n) {
  struct mime_parameter p = {0};
  size_t i = bytes_chr(s, n, ';'), seen = 0;
  int got, ok = 1;

  while (ok && (got = mime_parameter_next(s, n, &i, &p)) != 0) {
    ok = got == 1;
    if (mime_parameter_is(&p, "boundary*") || mime_parameter_continues(&p, "boundary")) seen += 2; /* nobody writes it so */
    if (!ok || !mime_parameter_is(&p, "boundary")) continue;
    ok = stralloc_copy(&e->boundary, &p.value);
    ++seen;
  }
  if (seen != 1 || !usable(&e->boundary)) stralloc_cut(&e->boundary, 0);
  stralloc_free(&p.value);
  return ok;
}

int mime_entity_type(struct mime_entity *e, const char *s, size_t n) {
  stralloc value = STRALLOC_INIT;
  int whole = clean(s, n, &value), ok = whole != -1;
  size_t type = 0;

  while (type < value.len && value.s[type] != ';' && !is_space(value.s[type])) ++type;
  if (e->has_type || !whole || !memchr(stralloc_cstr(&value), '/', type)) e->unclear = 1;
  e->has_type = 1;
  if (ok) e->kind = kind_of(stralloc_cstr(&value), type);
  if (ok && e->kind == MIME_MULTIPART) {
    e->digest = equals(stralloc_cstr(&value), type, "multipart/digest");
    ok = take_boundary(e, stralloc_cstr(&value), value.len);
  }
  stralloc_free(&value);
  return ok;
}

int mime_entity_encoding(struct mime_entity *e, const char *s, size_t n) {
  stralloc value = STRALLOC_INIT;
  int whole = clean(s, n, &value);
  const char *v = stralloc_cstr(&value);

  if (e->has_encoding || !whole) e->unclear = 1;
  e->has_encoding = 1;
  e->encoding = MIME_ENCODED;
  if (equals(v, value.len, "7bit") || equals(v, value.len, "8bit")) e->encoding = MIME_IDENTITY;
  if (equals(v, value.len, "binary")) e->encoding = MIME_BINARY;
  stralloc_free(&value);
  return whole != -1;
}

void mime_entity_free(struct mime_entity *e) {
  stralloc_free(&e->boundary);
  memset(e, 0, sizeof *e);
}
