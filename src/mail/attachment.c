/* attachment: see attachment.h. */
#include "mail/attachment.h"

#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/scan.h"
#include "mail/mime_parameter.h"

#define FIELD_MAX 16384      /* bytes of a field that are looked at */
#define BOUNDARIES_MAX 16384 /* bytes of all that are remembered */
#define BOUNDARY_MAX 256

struct reporter {
  attachment_fn fn;
  void *ctx;
};

static int is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/* --- decoding --- */

/* %XX of RFC 2231, or =XX of RFC 2047. */
static int decode_hex(const char *s, size_t n, char mark, stralloc *out) {
  for (size_t i = 0; i < n; ++i) {
    int high = i + 2 < n ? scan_hexdigit(s[i + 1]) : -1;
    int low = high == -1 ? -1 : scan_hexdigit(s[i + 2]);
    char c = mark == '=' && s[i] == '_' ? ' ' : s[i];

    if (s[i] == mark && low != -1) {
      c = (char)(high * 16 + low);
      i += 2;
    }
    if (!stralloc_append(out, c)) return 0;
  }
  return 1;
}

/* One =?charset?e?text?= at s: its length, 0 when it is none; *ok 0 when memory ran out. */
static size_t encoded_word(const char *s, size_t n, stralloc *out, int *ok) {
  size_t charset, text;
  int r;

  if (n < 2 || s[0] != '=' || s[1] != '?') return 0;
  charset = 2 + bytes_chr(s + 2, n - 2, '?');
  if (charset + 3 >= n || s[charset + 2] != '?') return 0;
  text = charset + 3;
  for (size_t i = text; i + 1 < n; ++i) {
    if (s[i] != '?' || s[i + 1] != '=') continue;
    if ((s[charset + 1] | 32) == 'b') {
      size_t before = out->len;

      r = base64_decode(out, s + text, i - text);
      if (r == 0) stralloc_cut(out, before);
    } else {
      r = decode_hex(s + text, i - text, '=', out);
      if (!r) r = -1;
    }
    if (r == -1) *ok = 0;
    return i + 2;
  }
  return 0;
}

static int decode_words(const char *s, size_t n, stralloc *out) {
  int ok = 1;

  for (size_t i = 0, len; ok && i < n; i += len) {
    len = encoded_word(s + i, n - i, out, &ok);
    if (len) continue;
    len = 1;
    if (!stralloc_append(out, s[i])) return 0;
  }
  return ok;
}

/* --- reporting --- */

static void report(const struct reporter *r, const char *s, size_t n) {
  while (n && (is_blank(s[n - 1]) || s[n - 1] == '.')) --n;
  if (n) r->fn(r->ctx, s, n);
}

/* A name as it is written, and as it reads. */
static int report_plain(const struct reporter *r, const char *s, size_t n) {
  stralloc name = STRALLOC_INIT;
  int ok = decode_words(s, n, &name);

  if (ok) report(r, stralloc_cstr(&name), name.len);
  stralloc_free(&name);
  return ok;
}

/* charset'language'text */
static int report_extended(const struct reporter *r, const char *s, size_t n) {
  size_t first = bytes_chr(s, n, '\''), second = first < n ? first + 1 + bytes_chr(s + first + 1, n - first - 1, '\'') : n;
  size_t text = second < n ? second + 1 : 0;
  stralloc name = STRALLOC_INIT;
  int ok = decode_hex(s + text, n - text, '%', &name);

  if (ok) report(r, stralloc_cstr(&name), name.len);
  stralloc_free(&name);
  return ok;
}

/* --- parameters --- */

/* Parts name*0, name*1* ... of one name, put together as they come. */
struct continued {
  stralloc text;
  int extended;
};

static int add_continued(struct continued *c, const struct mime_parameter *p) {
  if (p->name[p->name_n - 1] == '*') c->extended = 1;
  return stralloc_cat(&c->text, &p->value);
}

static int remember_boundary(struct attachment_scan *a, const stralloc *value) {
  if (!value->len) return 1;
  if (value->len <= BOUNDARY_MAX && a->boundaries.len + value->len < BOUNDARIES_MAX && !memchr(value->s, 0, value->len))
    return stralloc_catz(&a->boundaries, value->s, value->len);
  a->unreadable = 1;
  return 1;
}

static int take_parameter(struct attachment_scan *a, const struct mime_parameter *p, struct continued *c, const struct reporter *r) {
  static const char *const names[] = {"name", "filename"};
  char extended[] = "filename*";

  if (mime_parameter_is(p, "boundary")) return remember_boundary(a, &p->value);
  if (mime_parameter_is(p, "boundary*") || mime_parameter_continues(p, "boundary")) a->unreadable = 1; /* nobody writes it so */
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    memcpy(extended, names[i], strlen(names[i]));
    memcpy(extended + strlen(names[i]), "*", 2);
    if (mime_parameter_is(p, names[i])) return report_plain(r, stralloc_cstr(&p->value), p->value.len);
    if (mime_parameter_is(p, extended)) return report_extended(r, stralloc_cstr(&p->value), p->value.len);
    if (mime_parameter_continues(p, names[i])) return add_continued(&c[i], p);
  }
  return 1;
}

static int take_parameters(struct attachment_scan *a, const char *s, size_t n, const struct reporter *r) {
  struct mime_parameter p = {0};
  struct continued c[2] = {{STRALLOC_INIT, 0}, {STRALLOC_INIT, 0}};
  size_t i = bytes_chr(s, n, ';');
  int got, ok = 1;

  while (ok && (got = mime_parameter_next(s, n, &i, &p)) != 0) ok = got == 1 && take_parameter(a, &p, c, r);
  for (size_t k = 0; k < 2; ++k) {
    if (ok && c[k].text.len)
      ok = c[k].extended ? report_extended(r, c[k].text.s, c[k].text.len) : report_plain(r, c[k].text.s, c[k].text.len);
    stralloc_free(&c[k].text);
  }
  stralloc_free(&p.value);
  return ok;
}

/* --- fields and lines --- */

static int end_field(struct attachment_scan *a, const struct reporter *r) {
  const char *s = stralloc_cstr(&a->field);
  size_t n = a->field.len, colon = bytes_chr(s, n, ':'), name = colon;
  int ok = 1;

  while (name && is_blank(s[name - 1])) --name;
  if (colon < n && ((name == 12 && bytes_caseequal(s, "Content-Type", 12)) ||
                    (name == 19 && bytes_caseequal(s, "Content-Disposition", 19)))) {
    ++colon;
    while (colon < n && is_blank(s[colon])) ++colon;
    if (a->cut) a->unreadable = 1;
    if (bytes_casestarts(s + colon, n - colon, "message/")) a->inner = 1;
    ok = take_parameters(a, s + colon, n - colon, r);
  }
  if (ok && n && a->in_part && a->field_fn) ok = a->field_fn(a->field_ctx, s, n);
  stralloc_cut(&a->field, 0);
  a->cut = 0;
  return ok;
}

/* 1: a boundary, 2: the last one of its multipart, 0: neither. */
static int is_boundary(const struct attachment_scan *a, const char *line, size_t n) {
  const char *b = stralloc_cstr(&a->boundaries), *end = b + a->boundaries.len;

  if (n < 3 || line[0] != '-' || line[1] != '-') return 0;
  for (; b < end; b += strlen(b) + 1) {
    size_t len = strlen(b);

    if (n - 2 < len || memcmp(line + 2, b, len)) continue;
    return n - 2 >= len + 2 && line[2 + len] == '-' && line[3 + len] == '-' ? 2 : 1;
  }
  return 0;
}

/* begin 644 name */
static int uuencode(struct attachment_scan *a, const char *line, size_t n, int whole, const struct reporter *r) {
  size_t i = 6;

  if (n < 8 || memcmp(line, "begin ", 6)) return 1;
  while (i < n && line[i] >= '0' && line[i] <= '7') ++i;
  if (i < 9 || i >= n || line[i] != ' ') return 1;
  if (!whole) a->unreadable = 1;
  return report_plain(r, line + i + 1, n - i - 1);
}

/* More of the field, as much as there is room for. */
static int add_to_field(struct attachment_scan *a, const char *line, size_t n, int whole) {
  size_t room = FIELD_MAX - a->field.len;

  if (!whole || n > room) a->cut = 1;
  return stralloc_catb(&a->field, line, n < room ? n : room);
}

int attachment_line(struct attachment_scan *a, const char *line, size_t n, int whole, attachment_fn fn, void *ctx) {
  const struct reporter r = {fn, ctx};
  int boundary = is_boundary(a, line, n);

  if (boundary) {
    int ok = end_field(a, &r);

    a->in_body = boundary == 2;
    a->inner = 0;
    a->in_part = 1;
    return ok;
  }
  if (a->in_body) return uuencode(a, line, n, whole, &r);
  if (n && is_blank(*line)) return add_to_field(a, line, n, whole);
  if (!end_field(a, &r)) return 0;
  if (n) return add_to_field(a, line, n, whole);
  a->in_body = !a->inner;
  a->inner = 0;
  a->in_part = 1;
  return 1;
}

void attachment_free(struct attachment_scan *a) {
  stralloc_free(&a->field);
  stralloc_free(&a->boundaries);
  memset(a, 0, sizeof *a);
}
