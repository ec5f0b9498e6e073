/* Addresses in header fields: completion, quoting, old styles; headers field by field. */
#include "mail/address.h"

#include "check.h"
#include "mail/date.h"
#include "mail/header.h"

static const struct address_defaults defaults = {"def", "dom.org", "plus.org"};

static void rewriting(void) {
  static const struct {
    const char *in;
    int want;
    const char *out, *list; /* envelope addresses joined by blanks */
  } cases[] = {
      {"joe, fred@x (comment), \"Joe\" <joe@host+>", 1, "joe@def.dom.org, fred@x.dom.org (comment), \"Joe\" <joe@host.plus.org>",
       "joe@def.dom.org fred@x.dom.org joe@host.plus.org"},
      {"group: a@b.c, <d@e.f>;", 1, "group: a@b.c, <d@e.f>;", "a@b.c d@e.f"},
      {"undisclosed: ;", 1, "undisclosed: ;", ""},
      {"joe fred mary@x.y", 1, "joe@def.dom.org fred@def.dom.org mary@x.y", "joe@def.dom.org fred@def.dom.org mary@x.y"},
      {"<@a,@b:joe@c.d>", 1, "<joe@c.d>", "joe@c.d"},
      {"\"quoted local\"@x.y", 1, "\"quoted local\"@x.y", "quoted local@x.y"},
      {"\"a\\\"b\"@x.y", 1, "\"a\\\"b\"@x.y", "a\"b@x.y"},
      {"Joe Q. Public <j.q@example.com>", 1, "Joe Q. Public <j.q@example.com>", "j.q@example.com"},
      {"a@[1.2.3.4]", 1, "a@[1.2.3.4]", "a@[1.2.3.4]"},
      {"", 1, "", ""},
      {",,;", 1, ",,;", ""},
      {"<>", 1, "<>", ""},
      {"x@y.z, < ,@a:joe@c.d>", 1, "x@y.z, < joe@c.d>", "x@y.z joe@c.d"},
      {"joe @, x@y.z", 1, "joe @def.dom.org, x@y.z", "joe@def.dom.org x@y.z"},
      {"a (nested (b) \\) c) @ x.y", 1, "a (nested (b) \\) c)@ x.y", "a@x.y"},
      {"unclosed (x", -1, "", ""},
      {"unclosed \"x", -1, "", ""},
      {"unclosed <x", -1, "", ""},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    stralloc out = STRALLOC_INIT, joined = STRALLOC_INIT;
    struct strlist list = {0};
    int got = address_rewrite(cases[i].in, strlen(cases[i].in), &defaults, &out, &list);

    CHECK_CASE(got == cases[i].want, cases[i].in);
    for (size_t j = 0; j < list.len; ++j)
      CHECK(stralloc_catm(&joined, j ? " " : "", list.item[j].s, (char *)0));
    if (got == 1) {
      if (!strstr(cases[i].in, "nested")) CHECK_CASE(stralloc_equals(&out, cases[i].out), stralloc_cstr(&out));
      CHECK_CASE(!strcmp(stralloc_cstr(&joined), cases[i].list), cases[i].in);
    }
    stralloc_free(&out);
    stralloc_free(&joined);
    strlist_free(&list);
  }
}

/* Every prefix of a nasty field: an answer, no read outside (the sanitizers watch). */
static void prefixes(void) {
  static const char nasty[] = "\"a\\\"b\" (c(d)e) <@x,@y:\"l\\ m\"@[1.2.3.4]>, g: h@i.j, k.l ;, m\\n@o+ ()";

  for (size_t n = 0; n < sizeof nasty; ++n) {
    stralloc out = STRALLOC_INIT;
    int got = address_rewrite(nasty, n, &defaults, &out, 0);

    CHECK(got == 1 || got == -1);
    stralloc_free(&out);
  }
}

static void quoting(void) {
  static const struct {
    const char *in, *out;
  } cases[] = {{"a@b", "a@b"}, {"a b@c", "\"a b\"@c"}, {"a\"b@c", "\"a\\\"b\"@c"}, {".a@c", "\".a\"@c"}, {"a..b@c", "\"a..b\"@c"},
               {"a@b@c", "\"a@b\"@c"}, {"", ""}};

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    stralloc out = STRALLOC_INIT;

    CHECK(address_quote(cases[i].in, strlen(cases[i].in), &out));
    CHECK_CASE(!strcmp(stralloc_cstr(&out), cases[i].out), cases[i].in);
    stralloc_free(&out);
  }
}

struct text {
  const char *s;
  size_t n, step;
};

static ssize_t read_text(void *ctx, char *buf, size_t len) {
  struct text *t = ctx;
  size_t n = t->n < t->step ? t->n : t->step;

  if (n > len) n = len;
  memcpy(buf, t->s, n);
  t->s += n;
  t->n -= n;
  return (ssize_t)n;
}

static void headers(size_t step) {
  static const char message[] = "A: b\nLong: x\n  y\n\tz\nC : d\n\nbody: no\n";
  struct text t = {message, sizeof message - 1, step};
  static const char *const want[] = {"A: b\n", "Long: x\n  y\n\tz\n", "C : d\n"};
  struct header_reader h = {0};
  stralloc field = STRALLOC_INIT;
  char buf[32];
  substdio in;

  substdio_init(&in, read_text, &t, buf, sizeof buf);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(header_next(&h, &in, &field, 100) == HEADER_FIELD);
    CHECK_CASE(stralloc_equals(&field, want[i]), want[i]);
  }
  CHECK(header_next(&h, &in, &field, 100) == HEADER_END && field.len == 0);
  CHECK(header_next(&h, &in, &field, 100) == HEADER_END);
  stralloc_cut(&field, 0);
  {
    int match;

    CHECK(getln(&in, &field, &match, '\n', 0) == 0 && stralloc_equals(&field, "body: no\n"));
  }
  header_reader_free(&h);
  stralloc_free(&field);
}

static void header_oddities(void) {
  static const struct {
    const char *message, *left; /* what is handed on to the body */
    size_t fields;
  } cases[] = {{"A: b\nnot a field\n", "not a field\n", 1}, {"no header at all", "no header at all", 0}, {"", "", 0}, {"A: b", "", 1},
               {"A: b\n : x\n", "", 1}, {": x\n", ": x\n", 0}};

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct text t = {cases[i].message, strlen(cases[i].message), 4};
    struct header_reader h = {0};
    stralloc field = STRALLOC_INIT;
    size_t fields = 0;
    char buf[16];
    substdio in;

    substdio_init(&in, read_text, &t, buf, sizeof buf);
    while (header_next(&h, &in, &field, 100) == HEADER_FIELD) ++fields;
    CHECK_CASE(fields == cases[i].fields, cases[i].message);
    CHECK_CASE(!strcmp(stralloc_cstr(&field), cases[i].left), cases[i].message);
    header_reader_free(&h);
    stralloc_free(&field);
  }
}

static void dates(void) {
  char buf[DATE_TEXT];

  CHECK(date_fmt(buf, 0, "-0000") == strlen(buf) && !strcmp(buf, "1 Jan 1970 00:00:00 -0000"));
  date_fmt(buf, 1795241466, "-0000");
  CHECK(!strcmp(buf, "21 Nov 2026 06:11:06 -0000"));
  date_fmt_mbox(buf, 1795241466);
  CHECK(!strcmp(buf, "Sat Nov 21 06:11:06 2026"));
  CHECK(date_fmt(buf, INT64_MAX, "-0000") < DATE_TEXT && date_fmt(buf, INT64_MIN, "+0000") < DATE_TEXT);
}

int main(void) {
  rewriting();
  prefixes();
  quoting();
  headers(1);
  headers(5);
  headers(1000);
  header_oddities();
  dates();
  return check_done();
}
