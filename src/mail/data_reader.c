/* data_reader: see data_reader.h. */
#include "mail/data_reader.h"

#include <string.h>

static const char *const counted[] = {"received:", "delivered-to:"};
#define COUNTED (sizeof counted / sizeof *counted)
#define ALL_FIELDS ((1u << COUNTED) - 1)

static char lower(char c) {
  return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* One byte of the header as it comes out.  column SIZE_MAX: the line's name is
 * known to be of no interest. */
static void header_byte(struct data_reader *r, char c) {
  if (c == '\n') {
    if (!r->column) r->in_body = 1;
    r->column = 0;
    r->fields = ALL_FIELDS;
    return;
  }
  if (!r->column) r->fields = ALL_FIELDS;
  for (size_t i = 0; i < COUNTED; ++i) {
    if (!(r->fields & 1u << i)) continue;
    if (counted[i][r->column] != lower(c)) r->fields &= ~(1u << i);
    else if (!counted[i][r->column + 1]) {
      ++r->hops;
      r->fields = 0;
    }
  }
  ++r->column;
}

void data_count_hops(struct data_reader *r, const char *s, size_t n) {
  for (size_t i = 0; i < n && !r->in_body; ++i) header_byte(r, s[i]);
}

static void emit(struct data_reader *r, const char *s, size_t n, data_sink sink, void *ctx) {
  data_count_hops(r, s, n);
  r->bytes += n;
  if (n) sink(ctx, s, n);
}

/* A byte at the start of a line or in the middle of one. */
static enum data_state text_byte(struct data_reader *r, char c, data_sink sink, void *ctx) {
  if (c == '\r') return DATA_TEXT_CR;
  if (c == '\n') {
    r->flaws |= DATA_BARE_LF;
    emit(r, &c, 1, sink, ctx);
    return DATA_AT_START_BAD;
  }
  if (!c) r->flaws |= DATA_NUL;
  emit(r, &c, 1, sink, ctx);
  return DATA_TEXT;
}

/* A byte after a CR that was no line end. */
static enum data_state after_bare_cr(struct data_reader *r, char c, data_sink sink, void *ctx) {
  r->flaws |= DATA_BARE_CR;
  emit(r, "\r", 1, sink, ctx);
  return c == '.' ? DATA_DOT_BAD : text_byte(r, c, sink, ctx);
}

static enum data_state step(struct data_reader *r, char c, data_sink sink, void *ctx, enum data_verdict *verdict) {
  switch (r->state) {
    case DATA_AT_START: return c == '.' ? DATA_DOT : text_byte(r, c, sink, ctx);
    case DATA_AT_START_BAD: return c == '.' ? DATA_DOT_BAD : text_byte(r, c, sink, ctx);
    case DATA_DOT:
      if (c == '\r') return DATA_DOT_CR;
      if (c == '\n') *verdict = DATA_AMBIGUOUS;
      return text_byte(r, c, sink, ctx);
    case DATA_DOT_CR:
      if (c == '\n') *verdict = DATA_END;
      return c == '\n' ? DATA_AT_START : after_bare_cr(r, c, sink, ctx);
    case DATA_DOT_BAD:
      if (c == '\r') return DATA_DOT_BAD_CR;
      if (c == '\n') *verdict = DATA_AMBIGUOUS;
      return text_byte(r, c, sink, ctx);
    case DATA_DOT_BAD_CR:
      if (c == '\n') *verdict = DATA_AMBIGUOUS;
      return c == '\n' ? DATA_AT_START : after_bare_cr(r, c, sink, ctx);
    case DATA_TEXT: return text_byte(r, c, sink, ctx);
    case DATA_TEXT_CR:
      if (c != '\n') return after_bare_cr(r, c, sink, ctx);
      emit(r, "\n", 1, sink, ctx);
      return DATA_AT_START;
  }
  return r->state;
}

/* Plain bytes up to the next that matters. */
static size_t plain(const char *s, size_t n) {
  const char *p = memchr(s, '\r', n);

  if (p) n = (size_t)(p - s);
  p = memchr(s, '\n', n);
  if (p) n = (size_t)(p - s);
  p = memchr(s, 0, n);
  return p ? (size_t)(p - s) : n;
}

enum data_verdict data_feed(struct data_reader *r, const char *s, size_t n, size_t *used, data_sink sink,
                            void *ctx) {
  enum data_verdict verdict = DATA_MORE;
  size_t i = 0;

  while (i < n && verdict == DATA_MORE) {
    size_t run = r->state == DATA_TEXT ? plain(s + i, n - i) : 0;

    emit(r, s + i, run, sink, ctx);
    i += run;
    if (i < n) r->state = step(r, s[i++], sink, ctx, &verdict);
  }
  *used = i;
  return verdict;
}

/* Of the states only DATA_TEXT_CR means something in a chunk. */
static enum data_state chunk_step(struct data_reader *r, char c, data_sink sink, void *ctx) {
  enum data_state next;

  if (r->state == DATA_TEXT_CR && c == '\n') {
    emit(r, &c, 1, sink, ctx);
    return DATA_TEXT;
  }
  if (r->state == DATA_TEXT_CR) data_end_chunks(r, sink, ctx);
  next = text_byte(r, c, sink, ctx);
  return next == DATA_TEXT_CR ? next : DATA_TEXT;
}

void data_feed_chunk(struct data_reader *r, const char *s, size_t n, data_sink sink, void *ctx) {
  for (size_t i = 0; i < n;) {
    size_t run = r->state == DATA_TEXT_CR ? 0 : plain(s + i, n - i);

    emit(r, s + i, run, sink, ctx);
    i += run;
    if (i < n) r->state = chunk_step(r, s[i++], sink, ctx);
  }
}

void data_end_chunks(struct data_reader *r, data_sink sink, void *ctx) {
  if (r->state != DATA_TEXT_CR) return;
  r->flaws |= DATA_BARE_CR;
  emit(r, "\r", 1, sink, ctx);
  r->state = DATA_TEXT;
}

void data_feed_lines(struct data_reader *r, const char *s, size_t n, data_sink sink, void *ctx) {
  if (!n) return;
  if (memchr(s, '\r', n)) r->flaws |= DATA_BARE_CR;
  if (memchr(s, 0, n)) r->flaws |= DATA_NUL;
  emit(r, s, n, sink, ctx);
}
