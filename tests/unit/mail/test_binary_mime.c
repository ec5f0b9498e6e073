/* A binary message made lines: whole, byte by byte and in every two pieces. */
#include "mail/binary_mime.h"

#include <stdlib.h>

#include "base/base64.h"
#include "check.h"
#include "mail/mime_parameter.h"

#define CTE "Content-Transfer-Encoding: "
#define BIN CTE "binary\r\n"
#define OCTETS "Content-Type: application/octet-stream\r\n"
#define MULTI "Content-Type: multipart/mixed; boundary=B\r\n"
#define DATA "\0\r\n.\r\nA\nB\r"
#define DATA64 "AA0KLg0KQQpCDQ=="

struct text {
  const char *s;
  size_t n;
};
#define T(lit) {"" lit, sizeof(lit) - 1}
#define SAME {0, 0}

/* Flaws where it still is no lines, and what they are in. */
static const struct {
  const char *name;
  struct text in, want;
  unsigned flaws;
  enum binary_kept kept;
} cases[] = {
    {"nothing", T(""), SAME, 0, 0},
    {"plain", T("Subject: a\r\n\r\nb\r\n"), SAME, 0, 0},
    {"no header", T("\r\nb\r\n"), SAME, 0, 0},
    {"no end", T("Subject: a\r\n\r\nb"), SAME, 0, 0},
    {"no body", T("Subject: a"), SAME, 0, 0},
    {"8bit", T("A: b\r\n" CTE "8bit\r\n\r\n\xff\xfe\r\n"), SAME, 0, 0},
    {"not said to be binary", T("A: b\r\n\r\na\nb\r\n"), SAME, DATA_BARE_LF, BINARY_IS_UNSAID},
    {"encoded otherwise", T("A: b\r\n" CTE "base64\r\n\r\na\rb\r\n"), SAME, DATA_BARE_CR, BINARY_IS_UNSAID},
    {"octets", T("A: b\r\n" BIN OCTETS "\r\n" DATA), T("A: b\r\n" OCTETS CTE "base64\r\n\r\n" DATA64 "\r\n"), 0, 0},
    {"octets that are lines", T(OCTETS BIN "\r\nab\r\n"), T(OCTETS CTE "base64\r\n\r\nYWINCg==\r\n"), 0, 0},
    {"octets, none", T(OCTETS BIN "\r\n"), T(OCTETS CTE "base64\r\n\r\n"), 0, 0},
    {"two lines of base64", T(OCTETS BIN "\r\n0123456789012345678901234567890123456789012345678901234567890123"),
     T(OCTETS CTE "base64\r\n\r\nMDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2\r\n"
       "Nzg5MDEyMw==\r\n"), 0, 0},
    {"one line of base64", T(OCTETS BIN "\r\n012345678901234567890123456789012345678901234567890123456"),
     T(OCTETS CTE "base64\r\n\r\nMDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2\r\n"), 0, 0},
    {"text of lines", T(BIN "\r\na\r\n\r\nb\r\n"), T(CTE "7bit\r\n\r\na\r\n\r\nb\r\n"), 0, 0},
    {"text of 8bit lines", T(BIN "\r\n\xe4\r\n"), T(CTE "8bit\r\n\r\n\xe4\r\n"), 0, 0},
    {"empty text", T(BIN "\r\n"), T(CTE "7bit\r\n\r\n"), 0, 0},
    {"text with a bare LF", T("Content-Type: text/html\r\n" BIN "\r\na\nb\r\n"),
     T("Content-Type: text/html\r\n" CTE "base64\r\n\r\nYQpiDQo=\r\n"), 0, 0},
    {"text with a bare CR", T(BIN "\r\na\rb\r\n"), T(CTE "base64\r\n\r\nYQ1iDQo=\r\n"), 0, 0},
    {"text with a CR at its end", T(BIN "\r\na\r"), T(CTE "base64\r\n\r\nYQ0=\r\n"), 0, 0},
    {"text in UTF-16", T(BIN "\r\n\0a\0\r\0\n"), T(CTE "base64\r\n\r\nAGEADQAK\r\n"), 0, 0},
    {"text without an end", T(BIN "\r\nab"), T(CTE "base64\r\n\r\nYWI=\r\n"), 0, 0},
    {"case, blanks and comments", T("CONTENT-transfer-encoding :\r\n  (a \\) (b)) Binary (c)\r\n\r\na\r\n"), T(CTE "7bit\r\n\r\na\r\n"), 0, 0},
    {"parts", T(MULTI BIN "\r\npre\r\n--B\r\n\r\ntext\r\n--B\r\n" BIN OCTETS "\r\n" DATA "\r\n--B\r\n" BIN "\r\nline\r\n--B--\r\nepi\r\n"),
     T(MULTI CTE "8bit\r\n\r\npre\r\n--B\r\n\r\ntext\r\n--B\r\n" OCTETS CTE "base64\r\n\r\n" DATA64 "\r\n--B\r\n"
       CTE "7bit\r\n\r\nline\r\n--B--\r\nepi\r\n"), 0, 0},
    {"a multipart that does not say binary", T(MULTI "\r\n--B\r\n" BIN OCTETS "\r\n\n\r\n--B--\r\n"),
     T(MULTI "\r\n--B\r\n" OCTETS CTE "base64\r\n\r\nCg==\r\n--B--\r\n"), 0, 0},
    {"empty parts", T(MULTI "\r\n--B\r\n" OCTETS BIN "\r\n--B\r\n" OCTETS BIN "\r\n\r\n--B\r\n" BIN "\r\n--B\r\n" BIN "\r\n\r\n--B--"),
     T(MULTI "\r\n--B\r\n" OCTETS CTE "base64\r\n\r\n--B\r\n" OCTETS CTE "base64\r\n\r\n--B\r\n"
       CTE "7bit\r\n\r\n--B\r\n" CTE "7bit\r\n\r\n\r\n--B--"), 0, 0},
    {"a part without a body", T(MULTI "\r\n--B\r\n" BIN "--B--\r\n"), T(MULTI "\r\n--B\r\n" CTE "7bit\r\n--B--\r\n"), 0, 0},
    {"no last delimiter", T(MULTI "\r\n--B\r\n" OCTETS BIN "\r\na\r\n-"), T(MULTI "\r\n--B\r\n" OCTETS CTE "base64\r\n\r\nYQ0KLQ==\r\n"), 0, 0},
    {"what looks like a delimiter", T(MULTI "\r\n--B\r\n" OCTETS BIN "\r\n\n--B\n\r\n--Bx\r\n -B\r\n-B\r\n--\r\n--B\r\r\n--B--\r\n"),
     T(MULTI "\r\n--B\r\n" OCTETS CTE "base64\r\n\r\nCi0tQgoNCi0tQngNCiAtQg0KLUINCi0tDQotLUIN\r\n--B--\r\n"), 0, 0},
    {"a bare LF at the end of what looks like a delimiter", T(MULTI "\r\n--B\r\n" OCTETS BIN "\r\n\r\n--B\n\r\n--B-- \t\r\n"),
     T(MULTI "\r\n--B\r\n" OCTETS CTE "base64\r\n\r\nDQotLUIK\r\n--B-- \t\r\n"), 0, 0},
    {"CR before a delimiter", T(MULTI "\r\n--B\r\n" OCTETS BIN "\r\na\r\r\n--B--\r\n"),
     T(MULTI "\r\n--B\r\n" OCTETS CTE "base64\r\n\r\nYQ0=\r\n--B--\r\n"), 0, 0},
    {"empty lines before a delimiter", T(MULTI "\r\n--B\r\n" OCTETS BIN "\r\na\r\n\r\n--B--\r\n"),
     T(MULTI "\r\n--B\r\n" OCTETS CTE "base64\r\n\r\nYQ0K\r\n--B--\r\n"), 0, 0},
    {"blanks behind a delimiter", T(MULTI "\r\n--B \t\r\n" OCTETS BIN "\r\na\r\n--B-- \r\n"),
     T(MULTI "\r\n--B \t\r\n" OCTETS CTE "base64\r\n\r\nYQ==\r\n--B-- \r\n"), 0, 0},
    {"quoted boundary", T("Content-Type: multipart/x (b=c); charset=x;\r\n\tboundary=\"a: \\\"(b\"\r\n\r\n--a: \"(b\r\n" OCTETS BIN "\r\n\n\r\n--a: \"(b--\r\n"),
     T("Content-Type: multipart/x (b=c); charset=x;\r\n\tboundary=\"a: \\\"(b\"\r\n\r\n--a: \"(b\r\n" OCTETS CTE "base64\r\n\r\nCg==\r\n--a: \"(b--\r\n"), 0, 0},
    {"nested", T(MULTI "\r\n--B\r\nContent-Type: multipart/alternative; boundary=BB\r\n" BIN "\r\n--BB\r\n" BIN OCTETS "\r\n1\r\n--B\r\n" BIN OCTETS "\r\n2\r\n--BB\r\n--B--\r\n"),
     T(MULTI "\r\n--B\r\nContent-Type: multipart/alternative; boundary=BB\r\n" CTE "8bit\r\n\r\n--BB\r\n" OCTETS CTE "base64\r\n\r\nMQ==\r\n--B\r\n"
       OCTETS CTE "base64\r\n\r\nMg0KLS1CQg==\r\n--B--\r\n"), 0, 0},
    {"nested, closed", T(MULTI "\r\n--B\r\nContent-Type: multipart/x; boundary=C\r\n\r\n--C--\r\n--C\r\nbetween\r\n--B--\r\n"), SAME, 0, 0},
    {"a boundary that ends like a last one", T(MULTI "\r\n--B\r\nContent-Type: multipart/x; boundary=B--\r\n\r\n--B--\r\n" BIN OCTETS "\r\na\r\n--B----\r\n--B--\r\n"),
     T(MULTI "\r\n--B\r\nContent-Type: multipart/x; boundary=B--\r\n\r\n--B--\r\n" OCTETS CTE "base64\r\n\r\nYQ==\r\n--B----\r\n--B--\r\n"), 0, 0},
    {"a message inside", T("Content-Type: message/rfc822\r\n" BIN "\r\nSubject: x\r\n" BIN OCTETS "\r\n\n"),
     T("Content-Type: message/rfc822\r\n" CTE "8bit\r\n\r\nSubject: x\r\n" OCTETS CTE "base64\r\n\r\nCg==\r\n"), 0, 0},
    {"messages inside each other", T("Content-Type: message/rfc822\r\n\r\nContent-Type: message/global\r\n\r\n" OCTETS BIN "\r\n\n"),
     T("Content-Type: message/rfc822\r\n\r\nContent-Type: message/global\r\n\r\n" OCTETS CTE "base64\r\n\r\nCg==\r\n"), 0, 0},
    {"a digest", T("Content-Type: multipart/digest; boundary=B\r\n\r\n--B\r\n\r\n" OCTETS BIN "\r\n\n\r\n--B--\r\n"),
     T("Content-Type: multipart/digest; boundary=B\r\n\r\n--B\r\n\r\n" OCTETS CTE "base64\r\n\r\nCg==\r\n--B--\r\n"), 0, 0},
    {"signed, of lines", T("Content-Type: multipart/signed; boundary=B\r\n" BIN "\r\n--B\r\n" BIN "\r\nx\r\n--B--\r\n"),
     T("Content-Type: multipart/signed; boundary=B\r\n" CTE "8bit\r\n\r\n--B\r\n" BIN "\r\nx\r\n--B--\r\n"), 0, 0},
    {"signed", T("Content-Type: multipart/signed; boundary=B\r\n\r\n--B\r\n" BIN OCTETS "\r\n\n\r\n--B--\r\n"), SAME, DATA_BARE_LF, BINARY_IS_SIGNED},
    {"beside what is signed", T(MULTI "\r\n--B\r\nContent-Type: multipart/signed; boundary=C\r\n\r\n--C\r\n" BIN "\r\nx\r\n--B\r\n" OCTETS BIN "\r\n\n\r\n--B--\r\n"),
     T(MULTI "\r\n--B\r\nContent-Type: multipart/signed; boundary=C\r\n\r\n--C\r\n" BIN "\r\nx\r\n--B\r\n" OCTETS CTE "base64\r\n\r\nCg==\r\n--B--\r\n"), 0, 0},
    {"a report", T("Content-Type: message/delivery-status\r\n" BIN "\r\nA: b\r\n"), T("Content-Type: message/delivery-status\r\n" CTE "8bit\r\n\r\nA: b\r\n"), 0, 0},
    {"a binary report", T("Content-Type: message/delivery-status\r\n" CTE "8bit\r\n\r\nA: \0\r\n"), SAME, DATA_NUL, BINARY_IS_FRAGMENT},
    {"in the header", T("A: b\nc\r\n" BIN "\r\na\r\n"), T("A: b\nc\r\n" CTE "7bit\r\n\r\na\r\n"), DATA_BARE_LF, BINARY_IS_HEADER},
    {"between parts", T(MULTI "\r\n\0\r\n--B\r\n\r\nx\r\n--B--\r\n"), SAME, DATA_NUL, BINARY_IS_BETWEEN},
    {"behind the parts", T(MULTI "\r\n--B\r\n\r\nx\r\n--B--\r\na\nb\r\n"), SAME, DATA_BARE_LF, BINARY_IS_BETWEEN},
    {"two types", T("Content-Type: text/plain\r\n" OCTETS BIN "\r\n\n"), SAME, DATA_BARE_LF, BINARY_IS_UNCLEAR},
    {"two encodings", T(BIN CTE "7bit\r\n\r\n\n"), T(CTE "7bit\r\n" BIN "\r\n\n"), DATA_BARE_LF, BINARY_IS_UNCLEAR},
    {"twice the same", T(BIN BIN "\r\n\n"), SAME, DATA_BARE_LF, BINARY_IS_UNCLEAR},
    {"an encoding with a CR", T(CTE "bina\rry\r\n\r\na\r\n"), SAME, DATA_BARE_CR, BINARY_IS_HEADER},
    {"an encoding with a NUL", T(CTE "binary (\0)\r\n\r\na\r\n"), SAME, DATA_NUL, BINARY_IS_HEADER},
    {"an encoding that breaks off", T(CTE "binary (\r\n\r\na\r\n"), SAME, 0, 0},
    {"two encodings, lines", T(BIN CTE "base64\r\n\r\na\r\n"), T(CTE "base64\r\n" BIN "\r\na\r\n"), 0, 0},
    {"no boundary", T("Content-Type: multipart/mixed\r\n" BIN "\r\n\n"), SAME, DATA_BARE_LF, BINARY_IS_UNCLEAR},
    {"two boundaries", T("Content-Type: multipart/mixed; boundary=B; boundary=C\r\n\r\n--B\r\n" OCTETS BIN "\r\n\n"), SAME, DATA_BARE_LF, BINARY_IS_UNCLEAR},
    {"a boundary in pieces", T("Content-Type: multipart/mixed; boundary*0=B\r\n\r\n--B\r\n" OCTETS BIN "\r\n\n"), SAME, DATA_BARE_LF, BINARY_IS_UNCLEAR},
    {"a boundary with a blank at its end", T("Content-Type: multipart/mixed; boundary=\"B \"\r\n\r\n--B\r\n\r\n\n"), SAME, DATA_BARE_LF, BINARY_IS_UNCLEAR},
    {"an encoded multipart", T(MULTI CTE "base64\r\n\r\n--B\r\n" OCTETS BIN "\r\n\n"), SAME, DATA_BARE_LF, BINARY_IS_UNCLEAR},
    {"a type that is none", T("Content-Type: multipart\r\n" BIN "\r\n\n"), SAME, DATA_BARE_LF, BINARY_IS_UNCLEAR},
    {"a comment without an end", T("Content-Type: text/plain (\r\n" BIN "\r\n\n"), SAME, DATA_BARE_LF, BINARY_IS_UNCLEAR},
    {"a header that breaks off", T(BIN OCTETS "no field\r\n\r\n\n"), T(OCTETS BIN "no field\r\n\r\n\n"), DATA_BARE_LF, BINARY_IS_UNCLEAR},
    {"the end within a header", T(BIN "A: b"), T("A: b\r\n" CTE "7bit\r\n"), 0, 0},
    {"the end within the field", T("A: b\r\nContent-transfer-encoding: binary"), T("A: b\r\n" CTE "7bit\r\n"), 0, 0},
    {"the end behind another encoding", T("A: b\r\n" CTE "8bit\r\nA: b"), SAME, 0, 0},
    {"the end within another encoding", T("A: b\r\n" CTE "8bit\r\n (c)"), SAME, 0, 0},
    {"the end behind a CR", T("A: b\r\n\r\nc\r"), SAME, DATA_BARE_CR, BINARY_IS_UNSAID},
};

struct lines {
  const struct binary_mime *b;
  struct data_reader r;
  enum binary_kept kept;
  stralloc raw, kept_text;
};

static void keep(void *ctx, const char *s, size_t n) {
  struct lines *l = ctx;

  CHECK(stralloc_catb(&l->kept_text, s, n));
}

static void put(void *ctx, const char *s, size_t n) {
  struct lines *l = ctx;

  CHECK(stralloc_catb(&l->raw, s, n));
  if (!l->r.flaws) l->kept = l->b->kept;
  data_feed_chunk(&l->r, s, n, keep, l);
}

static void empty(struct lines *l) {
  stralloc_free(&l->raw);
  stralloc_free(&l->kept_text);
  memset(l, 0, sizeof *l);
}

/* In pieces: the first of cut bytes, the others of step. */
static unsigned run(const char *s, size_t n, size_t cut, size_t step, struct lines *l) {
  struct binary_mime b = {0};
  unsigned encoded;

  empty(l);
  l->b = &b;
  for (size_t at = 0, len = cut; at < n; at += len, len = step) {
    if (!len) len = step;
    if (len > n - at) len = n - at;
    binary_mime_feed(&b, s + at, len, put, l);
  }
  binary_mime_end(&b, put, l);
  data_end_chunks(&l->r, keep, l);
  CHECK(!b.failed);
  encoded = b.encoded;
  binary_mime_free(&b);
  return encoded;
}

static void one(const char *name, struct text in, struct text want, unsigned flaws, enum binary_kept kept) {
  struct lines l = {0}, again = {0};

  if (!want.s) want = in;
  for (size_t cut = 0; cut <= in.n; ++cut) {
    run(in.s, in.n, cut, cut ? in.n : 1, &l);
    CHECK_CASE(l.raw.len == want.n && !memcmp(stralloc_cstr(&l.raw), want.s, want.n), name);
    CHECK_CASE(l.r.flaws == flaws && (!flaws || l.kept == kept), name);
  }
  run(l.raw.s ? l.raw.s : "", l.raw.len, 3, 5, &again); /* what has become lines stays as it is */
  CHECK_CASE(again.raw.len == want.n && !memcmp(stralloc_cstr(&again.raw), want.s, want.n), name);
  empty(&l);
  empty(&again);
}

/* --- long ones --- */

static void many(stralloc *s, const char *text, size_t times) {
  while (times--) CHECK(stralloc_cats(s, text));
}

static void expect(const char *name, const stralloc *in, const stralloc *want, size_t step) {
  struct lines l = {0};

  run(in->s, in->len, 0, step, &l);
  CHECK_CASE(l.raw.len == want->len && !memcmp(l.raw.s, want->s, want->len), name);
  CHECK_CASE(!l.r.flaws, name);
  empty(&l);
}

/* Text of lines as long as text is held, and one byte longer; and a line that is one byte too long. */
static void test_held(void) {
  static const struct {
    const char *name;
    size_t lines, rest; /* of 62 and CR LF; of one more */
    int stays;
  } texts[] = {{"held", 1024, 0, 1}, {"too long", 1024, 1, 0}, {"longest line", 1, BINARY_LINE, 1}, {"longer line", 1, BINARY_LINE + 1, 0}};
  static const size_t steps[] = {1, 57, 1000, 1u << 20};

  for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
    stralloc in = STRALLOC_INIT, want = STRALLOC_INIT, text = STRALLOC_INIT;

    many(&text, "01234567890123456789012345678901234567890123456789012345678901\r\n", texts[i].lines);
    if (texts[i].rest) {
      stralloc_cut(&text, text.len - 2);
      many(&text, "x", texts[i].rest - (texts[i].lines == 1 ? 62 : 0));
      many(&text, "\r\n", 1);
    }
    many(&in, BIN "\r\n", 1);
    CHECK(stralloc_cat(&in, &text));
    many(&want, texts[i].stays ? CTE "7bit\r\n\r\n" : CTE "base64\r\n\r\n", 1);
    for (size_t at = 0, n; at < text.len; at += n) {
      n = texts[i].stays ? text.len : text.len - at < 57 ? text.len - at : 57;
      CHECK(texts[i].stays ? stralloc_cat(&want, &text) : base64_encode(&want, text.s + at, n) && stralloc_catlit(&want, "\r\n"));
    }
    for (size_t k = 0; k < sizeof steps / sizeof *steps; ++k) expect(texts[i].name, &in, &want, steps[k]);
    stralloc_free(&in);
    stralloc_free(&want);
    stralloc_free(&text);
  }
}

/* Long lines and fields of a header go through; a Content-Type that is too long is not relied on. */
static void test_long_header(void) {
  static const struct {
    const char *begin, *more, *end, *want;
    size_t times;
  } texts[] = {
      {"Subject: ", "x", "\r\n" BIN "\r\na\r\n", "\r\n" CTE "7bit\r\n\r\na\r\n", 20000},
      {"Subject: x\r\n", " fold\r\n", BIN "\r\na\r\n", CTE "7bit\r\n\r\na\r\n", 20000},
      {"Content-Type: text/plain\r\n", "\t; a=b\r\n", BIN "\r\na\r\n", BIN "\r\na\r\n", 4000},
      {"Content-Type: text/plain; a=", "b", "\r\n" BIN "\r\na\r\n", "\r\n" BIN "\r\na\r\n", 9000},
      {"no field", "x", "\r\n" BIN "\r\na\r\n", "\r\n" BIN "\r\na\r\n", 9000},
      {BIN "A: b", "x", "", "", 9000},
  };

  for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
    stralloc in = STRALLOC_INIT, want = STRALLOC_INIT;
    size_t taken = strncmp(texts[i].begin, BIN, strlen(BIN)) ? 0 : strlen(BIN);

    many(&in, texts[i].begin, 1);
    many(&in, texts[i].more, texts[i].times);
    many(&in, texts[i].end, 1);
    many(&want, texts[i].begin + taken, 1);
    many(&want, texts[i].more, texts[i].times);
    many(&want, taken ? "\r\n" CTE "7bit\r\n" : texts[i].want, 1);
    for (size_t step = 1; step < 100000; step = step * 10 + 3) expect(texts[i].begin, &in, &want, step);
    stralloc_free(&in);
    stralloc_free(&want);
  }
}

/* Multiparts within each other: as deep as we look, and deeper. */
static void test_deep(void) {
  for (size_t depth = BINARY_DEPTH - 1; depth <= BINARY_DEPTH + 1; ++depth) {
    stralloc in = STRALLOC_INIT;
    struct lines l = {0};

    for (size_t i = 0; i < depth; ++i) {
      many(&in, "Content-Type: multipart/mixed; boundary=B", 1);
      CHECK(stralloc_catu64(&in, i));
      many(&in, "\r\n\r\n--B", 1);
      CHECK(stralloc_catu64(&in, i));
      many(&in, "\r\n", 1);
    }
    many(&in, OCTETS BIN "\r\n\n", 1);
    CHECK(run(in.s, in.len, 0, 100, &l) == (depth <= BINARY_DEPTH));
    CHECK(!l.r.flaws == (depth <= BINARY_DEPTH));
    empty(&l);
    stralloc_free(&in);
  }
}

/* Whatever comes, what is kept of it is bounded. */
static void test_bounded(void) {
  static const char *const floods[] = {"x", "--", "-", "\r", "\r\n", "A: b\r\n", " ", "Content-Type: ", BIN, "--B\r\n", MULTI "\r\n--B\r\n", "\n--B\n"};
  static const char *const before[] = {"", MULTI "\r\n--B\r\n", MULTI "\r\n--B\r\n" BIN "\r\n", MULTI "\r\n--B\r\n" OCTETS BIN "\r\n"};

  for (size_t i = 0; i < sizeof floods / sizeof *floods; ++i)
    for (size_t k = 0; k < sizeof before / sizeof *before; ++k) {
      struct binary_mime b = {0};
      struct lines l = {.b = &b};

      binary_mime_feed(&b, before[k], strlen(before[k]), put, &l);
      for (size_t n = 0; n < 200000; n += strlen(floods[i])) binary_mime_feed(&b, floods[i], strlen(floods[i]), put, &l);
      CHECK_CASE(b.line.a + b.field.a + b.held.a + b.out.a + b.boundaries.a + b.entity.boundary.a < 200000, floods[i]);
      binary_mime_end(&b, put, &l);
      binary_mime_free(&b);
      binary_mime_free(&b);
      empty(&l);
    }
}

/* Without memory it says so, and nothing is lost in silence. */
static void test_nomem(void) {
  static const char text[] = MULTI BIN "\r\n--B\r\n" OCTETS BIN "\r\n\n\r\n--B\r\n" BIN "\r\n\n\r\n--B--\r\n";
  struct lines l = {0}, want = {0};

  run(text, sizeof text - 1, 0, 10, &want);
  for (long n = 1, failed = 1; failed; ++n) {
    struct binary_mime b = {0};

    empty(&l);
    l.b = &b;
    CHECK(stralloc_ready(&l.raw, 4096) && stralloc_ready(&l.kept_text, 4096));
    check_nomem(n);
    binary_mime_feed(&b, text, sizeof text - 1, put, &l);
    binary_mime_end(&b, put, &l);
    failed = check_allocs() >= n;
    check_nomem(0);
    CHECK(b.failed || (l.raw.len == want.raw.len && !memcmp(l.raw.s, want.raw.s, want.raw.len)));
    binary_mime_free(&b);
  }
  empty(&l);
  empty(&want);
}

int main(void) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) one(cases[i].name, cases[i].in, cases[i].want, cases[i].flaws, cases[i].kept);
  test_held();
  test_long_header();
  test_deep();
  test_bounded();
  test_nomem();
  return check_done();
}
