/* The header filter: what is dropped, copied and logged, whole and in pieces; archive rules. */
#include "queue/header_filter.h"

#include "check.h"
#include "queue/archive_rules.h"

static void list(struct strlist *l, const char *const *item) {
  for (; *item; ++item) CHECK(strlist_add(l, *item, strlen(*item)));
}

static void filter(size_t step) {
  static const char *const remove[] = {"X-Drop", "bcc", 0};
  static const char *const capture[] = {"Subject", "X-Id:5", "To", 0};
  static const char *const log[] = {"Message-ID", "Subject", 0};
  static const struct {
    const char *in, *out, *captured, *logged;
  } cases[] = {
      {"", "", "", ""},
      {"\nX-Drop: in body\n", "\nX-Drop: in body\n", "", ""},
      {"A: b\nX-DROP: c\nD: e\n\nbody", "A: b\nD: e\n\nbody", "", ""},
      {"X-Drop: a\n folded\n\ttwice\nB: c\n\n", "B: c\n\n", "", ""},
      {"X-Drop: last", "", "", ""},
      {"X-Drop", "X-Drop", "", ""},
      {"X-Drop :a\nBcc  : b\n\n", "\n", "", ""},
      {"X-Drop a: b\nX-Drop: c\n", "X-Drop a: b\nX-Drop: c\n", "", ""},
      {"no field\nX-Drop: c\n", "no field\nX-Drop: c\n", "", ""},
      {": empty\nX-Drop: c\n", ": empty\nX-Drop: c\n", "", ""},
      {"X-Dropped: a\nX-Dro: b\n\n", "X-Dropped: a\nX-Dro: b\n\n", "", ""},
      {"Subject: hi\n there \t x\n\nSubject: body\n", "Subject: hi\n there \t x\n\nSubject: body\n", "Subject: hi there x\n",
       "Subject: hi there x\n"},
      {"X-Id: 123456789\nmessage-id: <a>\n", "X-Id: 123456789\nmessage-id: <a>\n", "X-Id: 12345\n", "message-id: <a>\n"},
      {"Subject:\nTo: \001x\n", "Subject:\nTo: \001x\n", "Subject:\nTo: ?x\n", "Subject:\n"},
      {"Subject: cut", "Subject: cut", "Subject: cut\n", "Subject: cut\n"},
      {" starts folded\nBcc: x\nA: b\n", " starts folded\nA: b\n", "", ""},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct strlist r = {0}, c = {0}, l = {0};
    struct header_filter f = {.remove = &r, .capture = &c, .log = &l};
    const char *in = cases[i].in;
    size_t n = strlen(in);
    stralloc out = STRALLOC_INIT;

    list(&r, remove);
    list(&c, capture);
    list(&l, log);
    for (size_t j = 0; j < n; j += step) CHECK(header_filter_feed(&f, in + j, step < n - j ? step : n - j, &out));
    CHECK(header_filter_end(&f, &out));
    CHECK_CASE(stralloc_equals(&out, cases[i].out), in);
    CHECK_CASE(stralloc_equals(&f.captured, cases[i].captured), in);
    CHECK_CASE(stralloc_equals(&f.logged, cases[i].logged), in);
    header_filter_free(&f);
    stralloc_free(&out);
    strlist_free(&r);
    strlist_free(&c);
    strlist_free(&l);
  }
}

static void limits(void) {
  struct strlist c = {0};
  struct header_filter f = {.capture = &c};
  stralloc out = STRALLOC_INIT;

  CHECK(strlist_add(&c, "X", 1));
  for (int i = 0; i < 100; ++i) {
    CHECK(header_filter_feed(&f, "X: ", 3, &out));
    for (int j = 0; j < 2000; ++j) CHECK(header_filter_feed(&f, "a", 1, &out));
    CHECK(header_filter_feed(&f, "\n", 1, &out));
  }
  CHECK(header_filter_end(&f, &out) && out.len == 100 * 2004);
  CHECK(f.captured.len > HEADER_FILTER_COPIES_MAX - 2 * HEADER_FILTER_VALUE_MAX && f.captured.len <= HEADER_FILTER_COPIES_MAX);
  header_filter_free(&f);
  stralloc_free(&out);
  strlist_free(&c);
}

static void archive(void) {
  static const struct {
    const char *rule, *sender, *want; /* recipients are joe@a.example, ann@b.example */
  } cases[] = {
      {"F:boss@x:keep@arc", "boss@x", "keep@arc"},
      {"F:boss@x:keep@arc", "other@x", ""},
      {"F:boss@x:keep@arc", "BOSS@X", "keep@arc"},
      {"F:<>:keep@arc", "", "keep@arc"},
      {"F:@x:keep@arc", "", ""},
      {"T:joe@a.example:keep@arc", "s@x", "keep@arc"},
      {"T:*@?.example:%u-%d@arc", "s@x", "joe-a.example@arc ann-b.example@arc"},
      {"T:@b.example:arc+%e", "s@x", "arc+ann@b.example"},
      {"T:*:same@arc", "s@x", "same@arc"},
      {"T:*:ann@b.example", "s@x", ""},
      {"T:!@a.example:not-a@arc", "s@x", "not-a@arc"},
      {"F:!@x:outside@arc", "s@x", ""},
      {"F:!@x:outside@arc", "", "outside@arc"},
      {":*@*:%u@arc", "s@x", "s@arc joe@arc ann@arc"},
      {"*:s@x:%e", "s@x", "s@x"},
      {"F:s@x:100%%%q@arc", "s@x", "100%%q@arc"},
      {"F:s@x:", "s@x", ""},
      {"F:s@x", "s@x", ""},
      {"FT:s@x:y", "s@x", ""},
      {"Q:s@x:y", "s@x", ""},
      {"", "s@x", ""},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    static const char *const recipients[] = {"joe@a.example", "ann@b.example", 0};
    struct strlist rules = {0}, rcpt = {0}, to = {0};
    stralloc sender = STRALLOC_INIT, got = STRALLOC_INIT;

    CHECK(strlist_add(&rules, cases[i].rule, strlen(cases[i].rule)) && stralloc_copys(&sender, cases[i].sender));
    list(&rcpt, recipients);
    CHECK(archive_rules_apply(&rules, &sender, &rcpt, &to));
    for (size_t j = 0; j < to.len; ++j) CHECK(stralloc_cats(&got, j ? " " : "") && stralloc_cat(&got, &to.item[j]));
    CHECK_CASE(stralloc_equals(&got, cases[i].want), cases[i].rule);
    stralloc_free(&sender);
    stralloc_free(&got);
    strlist_free(&rules);
    strlist_free(&rcpt);
    strlist_free(&to);
  }
}

int main(void) {
  filter(1);
  filter(2);
  filter(7);
  filter(1000);
  limits();
  archive();
  return check_done();
}
