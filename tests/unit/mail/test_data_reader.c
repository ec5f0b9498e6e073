/* Each message whole, then byte by byte, then cut in two at every place: the same
 * verdict, output, flaws and count of hops. */
#include "mail/data_reader.h"

#include "base/stralloc.h"
#include "check.h"

#define LF DATA_BARE_LF
#define CR DATA_BARE_CR

static const struct {
  const char *in;
  size_t n; /* 0: strlen */
  enum data_verdict want;
  size_t left; /* bytes behind the end */
  unsigned flaws;
  const char *out;
  unsigned hops;
} cases[] = {
    {".\r\n", 0, DATA_END, 0, 0, "", 0},
    {"a: b\r\n\r\nhello\r\n.\r\n", 0, DATA_END, 0, 0, "a: b\n\nhello\n", 0},
    {"a\r\n.\r\nQUIT\r\n", 0, DATA_END, 6, 0, "a\n", 0},
    {"..\r\n.x\r\n...\r\n.\r\n", 0, DATA_END, 0, 0, ".\nx\n..\n", 0},
    {"\r\n\r\n.\r\n", 0, DATA_END, 0, 0, "\n\n", 0},
    {"a.\r\nb.\r\n.\r\n", 0, DATA_END, 0, 0, "a.\nb.\n", 0},
    {"no end\r\n.", 0, DATA_MORE, 0, 0, 0, 0},
    {"no end\r\n.\r", 0, DATA_MORE, 0, 0, 0, 0},
    /* flaws, found at the proper end */
    {"a\nb\r\n.\r\n", 0, DATA_END, 0, LF, 0, 0},
    {"a\rb\r\n.\r\n", 0, DATA_END, 0, CR, 0, 0},
    {"a\r\rb\r\n.\r\n", 0, DATA_END, 0, CR, 0, 0},
    {"a\r\r\n.\r\n", 0, DATA_END, 0, CR, 0, 0},
    {"a\0b\r\n.\r\n", 8, DATA_END, 0, DATA_NUL, 0, 0},
    {"\0\r\n.\r\n", 6, DATA_END, 0, DATA_NUL, 0, 0},
    {".\0\r\n.\r\n", 7, DATA_END, 0, DATA_NUL, 0, 0},
    {".\rx\r\n.\r\n", 0, DATA_END, 0, CR, 0, 0},
    {"a\n..\r\n.\r\n", 0, DATA_END, 0, LF, 0, 0},
    {"a\n.b\r\n.\r\n", 0, DATA_END, 0, LF, 0, 0},
    {".\r\r\n.\r\n", 0, DATA_END, 0, CR, 0, 0},
    /* what somebody else might take for the end */
    {"a\n.\nMAIL", 0, DATA_AMBIGUOUS, 4, LF, 0, 0},
    {"a\n.\r\nMAIL", 0, DATA_AMBIGUOUS, 4, LF, 0, 0},
    {"a\r\n.\nMAIL", 0, DATA_AMBIGUOUS, 4, LF, 0, 0},
    {"a\r.\r\nMAIL", 0, DATA_AMBIGUOUS, 4, CR, 0, 0},
    {"a\r.\nMAIL", 0, DATA_AMBIGUOUS, 4, LF | CR, 0, 0},
    {"a\r\n.\r.\r\nMAIL", 0, DATA_AMBIGUOUS, 4, CR, 0, 0},
    {".\nMAIL", 0, DATA_AMBIGUOUS, 4, LF, 0, 0},
    {"\n.\nMAIL", 0, DATA_AMBIGUOUS, 4, LF, 0, 0},
    /* hops */
    {"Received: x\r\nDELIVERED-TO: y\r\n z\r\nReceived-SPF: no\r\nreceived:\r\n\r\nReceived: body\r\n.\r\n", 0, DATA_END, 0, 0,
     "Received: x\nDELIVERED-TO: y\n z\nReceived-SPF: no\nreceived:\n\nReceived: body\n", 3},
    {" Received: folded\r\nX-Received: a\r\nReceive\r\nReceived : b\r\n.\r\n", 0, DATA_END, 0, 0, 0, 0},
    {".Received: x\r\n.\r\n", 0, DATA_END, 0, 0, "Received: x\n", 1},
};

static void sink(void *ctx, const char *s, size_t n) {
  if (!stralloc_catb(ctx, s, n)) CHECK(!"memory");
}

static size_t length(size_t i) {
  return cases[i].n ? cases[i].n : strlen(cases[i].in);
}

static void judge(size_t i, const struct data_reader *r, enum data_verdict v, size_t left, const stralloc *out) {
  const char *name = cases[i].in;

  CHECK_CASE(v == cases[i].want, name);
  CHECK_CASE(r->flaws == cases[i].flaws, name);
  CHECK_CASE(r->hops == cases[i].hops, name);
  CHECK_CASE(r->bytes == out->len, name);
  if (v != DATA_MORE) CHECK_CASE(left == cases[i].left, name);
  if (cases[i].out) CHECK_CASE(stralloc_equals(out, cases[i].out), name);
}

/* Fed in pieces of a, then of step bytes. */
static void feed(size_t i, size_t a, size_t step) {
  struct data_reader r = {0};
  stralloc out = STRALLOC_INIT;
  enum data_verdict v = DATA_MORE;
  size_t n = length(i), pos = 0, piece = a;

  while (pos < n && v == DATA_MORE) {
    size_t used;

    if (piece > n - pos) piece = n - pos;
    v = data_feed(&r, cases[i].in + pos, piece, &used, sink, &out);
    CHECK_CASE(v != DATA_MORE || used == piece, cases[i].in);
    pos += used;
    piece = step;
  }
  judge(i, &r, v, n - pos, &out);
  stralloc_free(&out);
}

/* The same for chunks; cut in two at every place means nothing. */
static const struct {
  const char *in;
  size_t n; /* 0: strlen */
  unsigned flaws;
  const char *out;
  size_t out_n; /* 0: strlen */
  unsigned hops;
} chunks[] = {
    {"", 0, 0, "", 0, 0},
    {"a: b\r\n\r\nhello\r\n", 0, 0, "a: b\n\nhello\n", 0, 0},
    {"no end", 0, 0, "no end", 0, 0},
    {".\r\n..\r\n.x\r\n.\r\n", 0, 0, ".\n..\n.x\n.\n", 0, 0},
    {"a\nb\r\n", 0, LF, "a\nb\n", 0, 0},
    {"a\n.\nb\r\n.\n", 0, LF, "a\n.\nb\n.\n", 0, 0},
    {"a\rb\r\n", 0, CR, "a\rb\n", 0, 0},
    {"a\r\r\n", 0, CR, "a\r\n", 0, 0},
    {"a\r", 0, CR, "a\r", 0, 0},
    {"\r", 0, CR, "\r", 0, 0},
    {"a\n\r", 0, LF | CR, "a\n\r", 0, 0},
    {"a\0b\r\n", 5, DATA_NUL, "a\0b\n", 4, 0},
    {"a\r\0\r\n", 5, CR | DATA_NUL, "a\r\0\n", 4, 0},
    {"Received: x\r\nDelivered-To: y\r\n\r\nReceived: z\r\n", 0, 0, "Received: x\nDelivered-To: y\n\nReceived: z\n", 0, 2},
};

static void feed_chunks(size_t i, size_t a, size_t step) {
  struct data_reader r = {0};
  stralloc out = STRALLOC_INIT;
  const char *in = chunks[i].in;
  size_t n = chunks[i].n ? chunks[i].n : strlen(in);
  size_t out_n = chunks[i].out_n ? chunks[i].out_n : strlen(chunks[i].out);

  for (size_t pos = 0, piece = a; pos < n; pos += piece, piece = step) {
    if (piece > n - pos) piece = n - pos;
    data_feed_chunk(&r, in + pos, piece, sink, &out);
  }
  data_end_chunks(&r, sink, &out);
  CHECK_CASE(r.flaws == chunks[i].flaws, in);
  CHECK_CASE(r.hops == chunks[i].hops, in);
  CHECK_CASE(r.bytes == out.len, in);
  CHECK_CASE(out.len == out_n && !memcmp(stralloc_cstr(&out), chunks[i].out, out_n), in);
  stralloc_free(&out);
}

/* Lines that end in LF, and may hold anything else. */
static const struct {
  const char *in;
  size_t n; /* 0: strlen */
  unsigned flaws, hops;
} lines[] = {
    {"", 0, 0, 0},         {"a\n.\n..b\n", 0, 0, 0},  {"no end", 0, 0, 0},
    {"a\r\n", 0, CR, 0},   {"a\0b\n", 4, DATA_NUL, 0}, {"Received: a\nDelivered-To: b\n\nReceived: c\n", 0, 0, 2},
};

static void feed_lines(size_t i, size_t piece) {
  size_t n = lines[i].n ? lines[i].n : strlen(lines[i].in);
  struct data_reader r = {0};
  stralloc out = STRALLOC_INIT;

  for (size_t at = 0; at < n; at += piece) data_feed_lines(&r, lines[i].in + at, n - at < piece ? n - at : piece, sink, &out);
  data_end_chunks(&r, sink, &out);
  CHECK_CASE(r.flaws == lines[i].flaws && r.hops == lines[i].hops && r.bytes == n, lines[i].in);
  CHECK_CASE(out.len == n && (!n || !memcmp(out.s, lines[i].in, n)), lines[i].in);
  stralloc_free(&out);
}

int main(void) {
  for (size_t i = 0; i < sizeof lines / sizeof *lines; ++i)
    for (size_t piece = 1; piece < 50; ++piece) feed_lines(i, piece);
  for (size_t i = 0; i < sizeof chunks / sizeof *chunks; ++i) {
    size_t n = chunks[i].n ? chunks[i].n : strlen(chunks[i].in);

    feed_chunks(i, n, n);
    feed_chunks(i, 1, 1);
    for (size_t cut = 1; cut < n; ++cut) feed_chunks(i, cut, n);
  }
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    feed(i, length(i), 1);
    feed(i, 1, 1);
    for (size_t cut = 1; cut < length(i); ++cut) feed(i, cut, length(i));
  }
  return check_done();
}
