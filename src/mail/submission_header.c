/* submission_header: see submission_header.h. */
#include "mail/submission_header.h"

#include <string.h>

#include "base/bytes.h"

static int add_missing(struct submission_header *h, const struct submission_fields *f, stralloc *out) {
  h->at = SUBMISSION_DONE;
  return (h->has_date || stralloc_cats(out, f->date)) && (h->has_messid || stralloc_cats(out, f->messid));
}

/* The line is no field: the header is over, and nothing says so but this. */
static int end_without_blank(struct submission_header *h, const struct submission_fields *f, stralloc *out) {
  int adds = !h->has_date || !h->has_messid || h->any;

  return add_missing(h, f, out) && (!adds || stralloc_append(out, '\n')) && stralloc_catb(out, h->name, h->n);
}

static int is_name(const char *s, size_t n, const char *name) {
  while (n && (s[n - 1] == ' ' || s[n - 1] == '\t')) --n; /* before the colon, as they once might stand */
  return n == strlen(name) && bytes_caseequal(s, name, n);
}

static int take_name(struct submission_header *h, stralloc *out) {
  h->has_date |= is_name(h->name, h->n, "date");
  h->has_messid |= is_name(h->name, h->n, "message-id");
  h->any = 1;
  h->at = SUBMISSION_REST;
  return stralloc_catb(out, h->name, h->n) && stralloc_append(out, ':');
}

/* One character of a name: 1 taken, 0 this is no field. */
static int goes_on(struct submission_header *h, char c) {
  int blank = c == ' ' || c == '\t';

  if (h->n == SUBMISSION_NAME_MAX || (blank ? !h->n : c < 33 || c > 126)) return 0;
  if (!blank && h->n && (h->name[h->n - 1] == ' ' || h->name[h->n - 1] == '\t')) return 0;
  h->name[h->n++] = c;
  return 1;
}

/* The character at the start of a line: 1, 0 without memory. */
static int start(struct submission_header *h, const struct submission_fields *f, char c, stralloc *out) {
  if (c == '\n') return add_missing(h, f, out) && stralloc_append(out, c);
  if ((c == ' ' || c == '\t') && h->any) {
    h->at = SUBMISSION_REST;
    return stralloc_append(out, c);
  }
  h->n = 0;
  h->at = SUBMISSION_NAME;
  if (c != ':' && goes_on(h, c)) return 1;
  return end_without_blank(h, f, out) && stralloc_append(out, c);
}

int submission_header_feed(struct submission_header *h, const struct submission_fields *f, const char *s, size_t n,
                           stralloc *out) {
  int ok = 1;

  while (ok && n && h->at != SUBMISSION_DONE) {
    size_t len = 1;

    switch (h->at) {
      case SUBMISSION_START: ok = start(h, f, *s, out); break;
      case SUBMISSION_NAME:
        if (*s == ':') ok = take_name(h, out);
        else if (!goes_on(h, *s)) ok = end_without_blank(h, f, out) && stralloc_append(out, *s);
        break;
      case SUBMISSION_REST:
        len = bytes_chr(s, n, '\n');
        if (len < n) {
          ++len;
          h->at = SUBMISSION_START;
        }
        ok = stralloc_catb(out, s, len);
        break;
      case SUBMISSION_DONE: break;
    }
    s += len;
    n -= len;
  }
  return ok && stralloc_catb(out, s, n);
}

int submission_header_end(struct submission_header *h, const struct submission_fields *f, stralloc *out) {
  if (h->at == SUBMISSION_DONE) return 1;
  if (h->at == SUBMISSION_NAME) return end_without_blank(h, f, out);
  if (h->at == SUBMISSION_REST && !stralloc_append(out, '\n')) return 0; /* the last line had no end */
  return add_missing(h, f, out);
}
