/* Questions to plugins and their answers come back as they were; what is none is refused, cut off
 * anywhere; what a plugin tells a client becomes one clean line. */
#include "smtp/plugin_proto.h"

#include "base/netstring.h"
#include "check.h"

/* The content of the one netstring that s is. */
static int content(const stralloc *s, const char **at, size_t *n) {
  return netstring_parse(s->s, s->len, s->len, at, n) == (long)s->len;
}

static void test_questions(void) {
  static const struct plugin_question cases[] = {
      {PLUGIN_MAIL, {"192.0.2.1", ""}},
      {PLUGIN_MAIL, {"2001:db8::1", "a@b"}},
      {PLUGIN_RCPT, {"192.0.2.1", "a@b", "c@d"}},
      {PLUGIN_DATA, {"mail.example.com", "192.0.2.1", "", "joe"}},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    const char *name = plugin_hook_name(cases[i].hook), *s;
    stralloc out = STRALLOC_INIT;
    struct plugin_question q;
    size_t n;

    CHECK_CASE(plugin_question_build(&out, &cases[i]) && content(&out, &s, &n), name);
    CHECK_CASE(plugin_question_parse(s, n, &q) && q.hook == cases[i].hook, name);
    for (size_t k = 0; k < plugin_fields(q.hook); ++k) CHECK_CASE(!strcmp(q.field[k], cases[i].field[k]), name);
    for (size_t cut = 0; cut < n; ++cut) CHECK_CASE(!plugin_question_parse(s, cut, &q), name);
    stralloc_free(&out);
  }
}

static void test_no_questions(void) {
  static const struct {
    const char *s;
    size_t n;
  } cases[] = {{"M", 1}, {"Ma\0", 3}, {"Ma\0b\0c\0", 7}, {"Xa\0b\0", 5}, {"Ma\0b", 4}, {"\0", 1}, {"D\0\0\0", 4}, {"D\0\0\0\0\0", 6}};
  static char big[PLUGIN_QUESTION_MAX + 1];
  const struct plugin_question too_long = {PLUGIN_MAIL, {"192.0.2.1", big}};
  struct plugin_question q;
  stralloc out = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) CHECK_CASE(!plugin_question_parse(cases[i].s, cases[i].n, &q), cases[i].s);
  memset(big, 'a', sizeof big - 1);
  CHECK(!plugin_question_build(&out, &too_long) && !out.len);
  stralloc_free(&out);
}

static void test_answers(void) {
  static const struct {
    enum plugin_kind kind;
    const char *text;
  } cases[] = {{PLUGIN_ACCEPTS, ""}, {PLUGIN_REFUSES, ""}, {PLUGIN_REFUSES, "550 no\r\n"}, {PLUGIN_FAILS, "gone"}};
  static char big[2 * PLUGIN_ANSWER_MAX];
  stralloc out = STRALLOC_INIT;
  enum plugin_kind kind;
  const char *s, *text;
  size_t n, text_n;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    stralloc_cut(&out, 0);
    CHECK_CASE(plugin_answer_build(&out, cases[i].kind, cases[i].text) && content(&out, &s, &n), cases[i].text);
    CHECK_CASE(plugin_answer_parse(s, n, &kind, &text, &text_n) && kind == cases[i].kind, cases[i].text);
    CHECK_CASE(text_n == strlen(cases[i].text) && !memcmp(text, cases[i].text, text_n), cases[i].text);
  }
  memset(big, 'a', sizeof big - 1);
  stralloc_cut(&out, 0);
  CHECK(plugin_answer_build(&out, PLUGIN_REFUSES, big) && content(&out, &s, &n) && n == PLUGIN_ANSWER_MAX);
  CHECK(plugin_answer_parse(s, n, &kind, &text, &text_n));
  CHECK(!plugin_answer_parse("", 0, &kind, &text, &text_n));
  CHECK(!plugin_answer_parse("Kx", 2, &kind, &text, &text_n));
  CHECK(!plugin_answer_parse("X", 1, &kind, &text, &text_n));
  CHECK(!plugin_answer_parse("\0", 1, &kind, &text, &text_n));
  stralloc_free(&out);
}

static const struct {
  const char *s;
  unsigned code; /* 0: no reply */
  const char *enhanced, *text;
} replies[] = {
    {"550 5.7.1 go away\r\n", 550, "5.7.1", "go away"},
    {"550 go away\r\n", 550, "5.7.1", "go away"},
    {"450 later\r\n", 450, "4.7.1", "later"},
    {"451 4.3.0 later", 451, "4.3.0", "later"},
    {"451 5.3.0 later\n", 451, "4.7.1", "5.3.0 later"},
    {"550-5.1.1 one\r\n550-5.1.1 two\r\n550 5.1.1 three\r\n", 550, "5.1.1", "one two three"},
    {"550-one\n550\n", 550, "5.7.1", "one"},
    {"550\r\n", 550, "5.7.1", ""},
    {"550 \r\n", 550, "5.7.1", ""},
    {"599 5.1234.1 x\r\n", 599, "5.7.1", "5.1234.1 x"},
    {"550 5.1.1234 x\r\n", 550, "5.7.1", "5.1.1234 x"},
    {"550 5.123.123\r\n", 550, "5.123.123", ""},
    {"550 5.7.\r\n", 550, "5.7.1", "5.7."},
    {"550 5.7\r\n", 550, "5.7.1", "5.7"},
    {"550 a\x01\xff\tb\rc\r\n", 550, "5.7.1", "a???b?c"},
    {"", 0, 0, 0},
    {"\r\n", 0, 0, 0},
    {"go away\r\n", 0, 0, 0},
    {"250 fine\r\n", 0, 0, 0},
    {"354 go\r\n", 0, 0, 0},
    {"600 x\r\n", 0, 0, 0},
    {"5500 x\r\n", 0, 0, 0},
    {"55 x\r\n", 0, 0, 0},
    {"550-more\r\n", 0, 0, 0},
    {"550-one\r\n450 two\r\n", 0, 0, 0},
    {"550 one\r\n550 two\r\n", 0, 0, 0},
    {"550 one\r\n\r\n", 0, 0, 0},
    {"550 one\r\nRSET\r\n", 0, 0, 0},
};

static void test_replies(void) {
  struct plugin_reply r;

  for (size_t i = 0; i < sizeof replies / sizeof *replies; ++i) {
    const char *s = replies[i].s;
    int ok = plugin_reply_parse(s, strlen(s), &r);

    CHECK_CASE(ok == !!replies[i].code, s);
    if (ok) CHECK_CASE(r.code == replies[i].code && !strcmp(r.enhanced, replies[i].enhanced) && !strcmp(r.text, replies[i].text), s);
    for (size_t n = 0; n < strlen(s); ++n) /* cut off anywhere it is a shorter reply, or none */
      if (plugin_reply_parse(s, n, &r)) CHECK_CASE(r.code >= 400 && r.code <= 599 && strlen(r.text) <= n, s);
  }
}

static void test_long_reply(void) {
  static char big[PLUGIN_ANSWER_MAX];
  struct plugin_reply r;

  memset(big, 'a', sizeof big);
  memcpy(big, "550 ", 4);
  CHECK(plugin_reply_parse(big, sizeof big, &r) && strlen(r.text) == PLUGIN_TEXT_MAX);
  for (size_t i = 0; i + 6 <= sizeof big; i += 6) memcpy(big + i, "550-a\n", 6);
  CHECK(plugin_reply_parse(big, sizeof big - sizeof big % 6, &r) == 0 && strlen(r.text) <= PLUGIN_TEXT_MAX);
}

int main(void) {
  test_questions();
  test_no_questions();
  test_answers();
  test_replies();
  test_long_reply();
  return check_done();
}
