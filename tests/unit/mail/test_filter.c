/* Rules against headers: each comparison, and rules that make no sense. */
#include "mail/filter.h"

#include <string.h>

#include "check.h"

static const char header[] = "From: Ann <ann@b.example>\nTo: joe@example.com,\n x@y.example\nSubject: Cheap\n  watches: 100% OFF\nX-Score: spam=0.75, ham\n"
                             "X-Score2: none\nReceived: one\nReceived: two\nX-Empty:\n";

static void read(struct filter_message *m, const char *s) {
  while (*s) {
    size_t n = 0;

    do n += strcspn(s + n, "\n") + 1;
    while (s[n] == ' ' || s[n] == '\t');
    CHECK(filter_field(m, s, n));
    s += n;
  }
}

static void comparisons(void) {
  static const struct {
    enum filter_comparison how;
    const char *header, *keyword;
    int want;
  } cases[] = {
      {FILTER_CONTAINS, "subject", "WATCHES", 1},       {FILTER_CONTAINS, "Subject", "cheap  watches", 1}, {FILTER_CONTAINS, "subject", "clocks", 0},
      {FILTER_CONTAINS, "none", "x", 0},                {FILTER_CONTAINS, "2", "off", 1},                  {FILTER_EQUALS, "received", "two", 1},
      {FILTER_EQUALS, "received", "tw", 0},             {FILTER_STARTS, "from", "ann <", 1},               {FILTER_STARTS, "from", "nn", 0},
      {FILTER_ENDS, "from", "@B.example>", 1},          {FILTER_ENDS, "from", "ann", 0},                   {FILTER_CONTAINS_NOT, "subject", "clocks", 1},
      {FILTER_CONTAINS_NOT, "subject", "watches", 0},   {FILTER_CONTAINS_NOT, "none", "x", 0},             {FILTER_CONTAINS_NOT, "received", "one", 0},
      {FILTER_NUMBER, "x-score", "%p > 0.5", 1},        {FILTER_NUMBER, "x-score", "%p>0.75", 0},          {FILTER_NUMBER, "x-score", "%p >= 0.75 && %p < 1", 1},
      {FILTER_NUMBER, "x-score", "%p < 0 || %p == 0.75", 1}, {FILTER_NUMBER, "x-score2", "%p > 0", 0},     {FILTER_NUMBER, "none", "%p > 0", 0},
      {FILTER_REGEX, "subject", "^cheap\\s+w.*[0-9]{3}%", 1}, {FILTER_REGEX, "subject", "^watches", 0},    {FILTER_NOT_TO_ME, "", "", 0},
      {FILTER_CONTAINS, "x-empty", "x", 0},             {FILTER_EQUALS, "X-Empty", "", 0},
  };
  struct filter_message m = {.recipient = "Joe@example.com"}, other = {.recipient = "jo@example.com"};

  read(&m, header);
  read(&other, header);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    const struct filter_rule r = {cases[i].how, cases[i].header, cases[i].keyword};

    CHECK_CASE(filter_matches(&m, &r) == cases[i].want, cases[i].keyword);
    if (cases[i].how == FILTER_NOT_TO_ME) CHECK(filter_matches(&other, &r) == 1);
  }
  filter_message_free(&m);
  filter_message_free(&other);
}

static void faults(void) {
  static const struct filter_rule bad[] = {
      {FILTER_CONTAINS, "", "x"},       {FILTER_CONTAINS, "a b", "x"},     {FILTER_CONTAINS, "a:", "x"},    {FILTER_CONTAINS, "47", "x"},     {FILTER_CONTAINS, "subject", ""},
      {FILTER_CONTAINS, "subject", "a\nb"}, {FILTER_NUMBER, "subject", "x"}, {FILTER_NUMBER, "subject", "%p"}, {FILTER_NUMBER, "subject", "%p > 1 &&"},
      {FILTER_NUMBER, "subject", "%p > 1 x"}, {FILTER_NUMBER, "subject", "%p = 1"}, {FILTER_REGEX, "subject", "("}};
  enum filter_comparison c;

  for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) CHECK_CASE(filter_fault(&bad[i]) != 0, bad[i].keyword);
  CHECK(filter_comparison_find("regex", &c) && c == FILTER_REGEX && filter_comparison_find("0", &c) && c == FILTER_EQUALS);
  CHECK(!filter_comparison_find("8", &c) && !filter_comparison_find("", &c) && !filter_comparison_find("like", &c));
  CHECK(!strcmp(filter_header("46"), "x-dspam-result"));
}

int main(void) {
  comparisons();
  faults();
  return check_done();
}
