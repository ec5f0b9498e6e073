/* header_filter: see header_filter.h. */
#include "queue/header_filter.h"

#include <string.h>

#include "base/bytes.h"
#include "base/scan.h"

static int in_list(const struct strlist *l, const char *s, size_t n) {
  return l && strlist_find(l, s, n) >= 0;
}

/* How many bytes of this field's value are wanted, + 1; 0: none. */
static size_t capture_limit(const struct strlist *l, const char *s, size_t n) {
  for (size_t i = 0; l && i < l->len; ++i) {
    const stralloc *line = &l->item[i];
    size_t colon = bytes_chr(line->s, line->len, ':');
    uint64_t max = HEADER_FILTER_VALUE_MAX;

    if (colon != n || !bytes_caseequal(line->s, s, n)) continue;
    if (colon < line->len) (void)!scan_u64_max(line->s + colon + 1, line->len - colon - 1, HEADER_FILTER_VALUE_MAX, &max);
    return (size_t)max + 1;
  }
  return 0;
}

/* Ends the copy of a field. */
static int end_copy(stralloc *copies, size_t *left) {
  int open = *left != 0;

  *left = 0;
  if (!open) return 1;
  while (copies->len && copies->s[copies->len - 1] == ' ') stralloc_cut(copies, copies->len - 1);
  return stralloc_append(copies, '\n');
}

static int start_copy(stralloc *copies, size_t *left, size_t limit, const char *name, size_t n) {
  if (!limit || copies->len + n + limit > HEADER_FILTER_COPIES_MAX) return 1;
  *left = limit;
  return stralloc_catb(copies, name, n) && stralloc_catlit(copies, ": ");
}

/* Some of the value: folds become one blank, control bytes question marks. */
static int add_copy(stralloc *copies, size_t *left, const char *s, size_t n) {
  for (size_t i = 0; *left > 1 && i < n; ++i) {
    unsigned char c = (unsigned char)s[i];
    int blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';

    if (blank && copies->s[copies->len - 1] == ' ') continue;
    if (!stralloc_append(copies, blank ? ' ' : c < 32 || c == 127 ? '?' : (char)c)) return 0;
    --*left;
  }
  return 1;
}

static int end_field(struct header_filter *f) {
  f->drop = 0;
  return end_copy(&f->captured, &f->capture_left) && end_copy(&f->logged, &f->log_left);
}

/* The line held back is no field, or the empty one: the header is over. */
static int to_body(struct header_filter *f, stralloc *out) {
  f->state = FILTER_BODY;
  if (!end_field(f) || !stralloc_cat(out, &f->name)) return 0;
  stralloc_cut(&f->name, 0);
  return 1;
}

/* A name and its colon are held back: what becomes of the field. */
static int to_field(struct header_filter *f, stralloc *out) {
  size_t n = f->name.len - 1;
  int ok;

  while (n && (f->name.s[n - 1] == ' ' || f->name.s[n - 1] == '\t')) --n;
  if (!n) return to_body(f, out);
  if (!end_field(f)) return 0;
  f->state = FILTER_REST;
  f->drop = in_list(f->remove, f->name.s, n);
  ok = start_copy(&f->captured, &f->capture_left, capture_limit(f->capture, f->name.s, n), f->name.s, n) &&
       start_copy(&f->logged, &f->log_left, in_list(f->log, f->name.s, n) ? HEADER_FILTER_VALUE_MAX + 1 : 0, f->name.s, n) &&
       (f->drop || stralloc_cat(out, &f->name));
  stralloc_cut(&f->name, 0);
  return ok;
}

/* One more byte of a line that may begin with a name. */
static int name_byte(struct header_filter *f, char c, stralloc *out) {
  int blank = c == ' ' || c == '\t';

  if (!stralloc_append(&f->name, c)) return 0;
  if (c == ':') return to_field(f, out);
  /* Blanks may stand before the colon, nothing else behind them. */
  if (!blank && f->name.len > 1 && (f->name.s[f->name.len - 2] == ' ' || f->name.s[f->name.len - 2] == '\t')) return to_body(f, out);
  if ((!blank && (c < 33 || c > 126)) || f->name.len > HEADER_FILTER_NAME_MAX) return to_body(f, out);
  return 1;
}

/* The rest of a line, up to its LF; *used says how much there was. */
static int rest(struct header_filter *f, const char *s, size_t n, size_t *used, stralloc *out) {
  size_t len = bytes_chr(s, n, '\n');

  if (len < n) {
    ++len;
    f->state = FILTER_START;
  }
  *used = len;
  return add_copy(&f->captured, &f->capture_left, s, len) && add_copy(&f->logged, &f->log_left, s, len) &&
         (f->drop || stralloc_catb(out, s, len));
}

int header_filter_feed(struct header_filter *f, const char *s, size_t n, stralloc *out) {
  while (n) {
    size_t used = 1;
    int ok = 1;

    switch (f->state) {
      case FILTER_START:
        used = 0;
        f->state = s[0] == ' ' || s[0] == '\t' ? FILTER_REST : FILTER_NAME;
        break;
      case FILTER_NAME: ok = name_byte(f, s[0], out); break;
      case FILTER_REST: ok = rest(f, s, n, &used, out); break;
      case FILTER_BODY: return stralloc_catb(out, s, n);
    }
    if (!ok) return 0;
    s += used;
    n -= used;
  }
  return 1;
}

int header_filter_end(struct header_filter *f, stralloc *out) {
  return to_body(f, out);
}

int header_filter_done(const struct header_filter *f) {
  return f->state == FILTER_BODY;
}

void header_filter_free(struct header_filter *f) {
  stralloc_free(&f->captured);
  stralloc_free(&f->logged);
  stralloc_free(&f->name);
}
