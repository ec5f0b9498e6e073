/* signatures: see signatures.h. */
#include "mail/signatures.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define BLACKHOLE "-blackhole"

static int refuse(struct strerr *e, const char *where, const char *line, const char *why) {
  strerr_set(e, where, ": ", line, ": ", why, (char *)0);
  e->permanent = 1;
  return -1;
}

/* As base64 writes it; others would never be at the begin of such a line. */
static int is_text(const char *s, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if (!memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=", s[i], 65)) return 0;
  return n >= SIGNATURE_MIN;
}

static int take(struct signature *g, const stralloc *line) {
  size_t text = bytes_chr(line->s, line->len, ':');
  size_t from = text < line->len ? text + 1 : text;
  size_t end = line->len;
  size_t last = bytes_rchr(line->s, line->len, ':');

  if (last < line->len && last >= text && !strcmp(line->s + last + 1, BLACKHOLE)) {
    g->blackhole = 1;
    end = last > from ? last : from;
  }
  return stralloc_copyb(&g->text, line->s, text) && stralloc_copyb(&g->comment, line->s + from, end - from);
}

int signatures_compile(struct signatures *s, const char *where, const struct strlist *lines, struct strerr *e) {
  memset(s, 0, sizeof *s);
  if (!lines->len) return 0;
  s->one = calloc(lines->len, sizeof *s->one);
  for (size_t i = 0; s->one && i < lines->len; ++i) {
    struct signature *g = &s->one[s->len++];

    if (!take(g, &lines->item[i])) break;
    if (!is_text(stralloc_cstr(&g->text), g->text.len))
      return refuse(e, where, lines->item[i].s, "at least 9 characters of base64 are wanted");
    if (s->len == lines->len) return 0;
  }
  errno = ENOMEM;
  return strerr_sys(e, "unable to read ", where, (char *)0);
}

size_t signatures_match(const struct signatures *s, const char *line, size_t n) {
  for (size_t i = 0; i < s->len; ++i) {
    const stralloc *t = &s->one[i].text;

    if (t->len <= n && !memcmp(t->s, line, t->len)) return i + 1;
  }
  return 0;
}

void signatures_free(struct signatures *s) {
  for (size_t i = 0; i < s->len; ++i) {
    stralloc_free(&s->one[i].text);
    stralloc_free(&s->one[i].comment);
  }
  free(s->one);
  memset(s, 0, sizeof *s);
}
