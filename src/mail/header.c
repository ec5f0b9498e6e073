/* header: see header.h. */
#include "mail/header.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

size_t header_name(const char *s, size_t n, size_t *body) {
  size_t i = 0;
  size_t name;

  while (i < n && s[i] > 32 && s[i] < 127 && s[i] != ':') ++i;
  name = i;
  while (i < n && (s[i] == ' ' || s[i] == '\t')) ++i;
  if (!name || i == n || s[i] != ':') return 0;
  *body = i + 1;
  return name;
}

/* The line goes on beyond max: as much of it as fits, and the input at the next. */
static int cut_line(substdio *in, stralloc *line, size_t max) {
  for (;;) {
    ssize_t have = substdio_feed(in);
    size_t room = max - line->len, end;

    if (have <= 0) return have == 0 ? 0 : -1;
    end = bytes_chr(substdio_peek(in), (size_t)have, '\n');
    if (!stralloc_catb(line, substdio_peek(in), end < room ? end : room)) return -1;
    if (end < (size_t)have) {
      substdio_take(in, end + 1);
      return 0;
    }
    substdio_take(in, end);
  }
}

static int read_line(struct header_reader *h, substdio *in, stralloc *line, size_t max, int *got) {
  int match;

  if (h->have_ahead) {
    h->have_ahead = 0;
    *got = 1;
    return stralloc_copy(line, &h->ahead) ? 0 : -1;
  }
  stralloc_cut(line, 0);
  if (getln(in, line, &match, '\n', max) == -1 && (!h->cuts || errno != EMSGSIZE || cut_line(in, line, max) == -1)) return -1;
  *got = line->len > 0;
  return 0;
}

enum header_line header_next(struct header_reader *h, substdio *in, stralloc *field, size_t max) {
  size_t body, room;
  int got;

  stralloc_cut(field, 0);
  if (h->ended) return HEADER_END;
  if (read_line(h, in, field, max, &got) == -1) return HEADER_ERROR;
  if (!got || field->s[0] == '\n' || (field->len > 1 && field->s[0] == '\r' && field->s[1] == '\n') ||
      !header_name(field->s, field->len, &body)) {
    h->ended = 1;
    if (got && field->len && field->s[0] != '\n' && field->s[0] != '\r') return HEADER_END;
    stralloc_cut(field, 0);
    return HEADER_END;
  }
  for (;;) {
    if (read_line(h, in, &h->ahead, max, &got) == -1) return HEADER_ERROR;
    if (!got) return HEADER_FIELD;
    if (h->ahead.s[0] != ' ' && h->ahead.s[0] != '\t') {
      h->have_ahead = 1;
      return HEADER_FIELD;
    }
    room = max - field->len;
    if (h->ahead.len > room && !h->cuts) return HEADER_ERROR;
    if (!stralloc_catb(field, h->ahead.s, h->ahead.len < room ? h->ahead.len : room)) return HEADER_NOMEM;
  }
}

void header_reader_free(struct header_reader *h) {
  stralloc_free(&h->ahead);
}
