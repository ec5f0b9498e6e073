/* Netstrings: from memory, from a stream that gives one byte at a time, and back. */
#include <errno.h>
#include <string.h>

#include "base/netstring.h"
#include "check.h"

static const struct {
  const char *s;
  size_t max;
  long want; /* as netstring_parse gives it */
  const char *content;
} cases[] = {
    {"5:hello,", 100, 8, "hello"}, {"0:,", 100, 3, ""},          {"5:hello,more", 100, 8, "hello"}, {"5:hello,", 8, 8, "hello"},
    {"5:hello,", 7, -1, 0},        {"5:hello", 100, 0, 0},       {"5:hell", 100, 0, 0},             {"5", 100, 0, 0},
    {"", 100, 0, 0},               {"05:hello,", 100, -1, 0},    {"00:,", 100, -1, 0},              {":,", 100, -1, 0},
    {"5;hello,", 100, -1, 0},      {"5:hello;", 100, -1, 0},     {"-1:,", 100, -1, 0},              {" 5:hello,", 100, -1, 0},
    {"99999999999999999999:", 100, -1, 0}, {"101:", 100, -1, 0}, {"10:0123456789,", 14, 14, "0123456789"},
};

static void memory(void) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    const char *content = 0;
    size_t len = 0;

    CHECK_CASE(netstring_parse(cases[i].s, strlen(cases[i].s), cases[i].max, &content, &len) == cases[i].want, cases[i].s);
    if (cases[i].want > 0)
      CHECK_CASE(len == strlen(cases[i].content) && !memcmp(content, cases[i].content, len), cases[i].s);
  }
}

/* Every beginning of a good one wants more, and never is one. */
static void beginnings(void) {
  static const char good[] = "12:abcdefghijkl,";
  const char *content;
  size_t len;

  for (size_t n = 0; n < sizeof good - 1; ++n) CHECK(netstring_parse(good, n, 100, &content, &len) == 0);
}

struct source {
  const char *s;
  size_t n, piece;
};

static ssize_t give(void *ctx, char *buf, size_t len) {
  struct source *from = ctx;
  size_t n = from->n < from->piece ? from->n : from->piece;

  if (n > len) n = len;
  memcpy(buf, from->s, n);
  from->s += n;
  from->n -= n;
  return (ssize_t)n;
}

/* 1, 0 or -1 as netstring_get; reads in pieces of that size. */
static int get(const char *s, size_t piece, size_t max, uint64_t *left, stralloc *out) {
  struct source from = {s, strlen(s), piece};
  char buf[7];
  substdio in;

  substdio_init(&in, give, &from, buf, sizeof buf);
  return netstring_get(&in, left, max, out);
}

static void stream(void) {
  stralloc out = STRALLOC_INIT;

  for (size_t piece = 1; piece < 9; ++piece)
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
      uint64_t left = cases[i].max;
      int want = cases[i].want > 0 ? 1 : *cases[i].s ? -1 : 0;

      CHECK_CASE(get(cases[i].s, piece, 100, &left, &out) == want, cases[i].s);
      if (want == 1) CHECK_CASE(stralloc_equals(&out, cases[i].content), cases[i].s);
      if (want == 1) CHECK_CASE(left == cases[i].max - (uint64_t)cases[i].want, cases[i].s);
    }
  stralloc_free(&out);
}

static void limits(void) {
  stralloc out = STRALLOC_INIT;
  uint64_t left = UINT64_MAX;

  CHECK(get("5:hello,", 3, 4, &left, &out) == -1 && errno == EMSGSIZE);
  left = UINT64_MAX;
  CHECK(get("5:hello,", 3, 5, &left, &out) == 1 && left == UINT64_MAX);
  left = 8;
  CHECK(get("5:hello,", 3, 5, &left, &out) == 1 && left == 0);
  left = 7; /* the comma would not be within */
  CHECK(get("5:hello,", 3, 5, &left, &out) == -1 && errno == EMSGSIZE);
  left = UINT64_MAX;
  CHECK(get("5:hel", 3, 5, &left, &out) == -1 && errno == EPROTO);
  check_nomem(1);
  left = UINT64_MAX;
  stralloc_free(&out);
  CHECK(get("5:hello,", 3, 5, &left, &out) == -1 && errno == ENOMEM);
  check_nomem(0);
  stralloc_free(&out);
}

static void format(void) {
  stralloc out = STRALLOC_INIT;

  CHECK(netstring_cat(&out, "hello", 5) && netstring_cat(&out, "", 0) && stralloc_equals(&out, "5:hello,0:,"));
  stralloc_free(&out);
}

int main(void) {
  memory();
  beginnings();
  stream();
  limits();
  format();
  return check_done();
}
