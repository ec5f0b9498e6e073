/* Date and Message-ID where they are missing, and not a byte else: whole, and in every two pieces. */
#include "mail/submission_header.h"

#include <string.h>

#include "check.h"

#define D "Date: now\n"
#define M "Message-ID: <1@x>\n"

static const struct submission_fields fields = {D, M};

static void feed(const char *text, size_t n, size_t cut, stralloc *out) {
  struct submission_header h = {0};

  stralloc_cut(out, 0);
  CHECK(submission_header_feed(&h, &fields, text, cut, out));
  CHECK(submission_header_feed(&h, &fields, text + cut, n - cut, out));
  CHECK(submission_header_end(&h, &fields, out));
}

int main(void) {
  static const struct {
    const char *text, *want;
  } cases[] = {
      {"From: a\n\nbody\n", "From: a\n" D M "\nbody\n"},
      {"Date: x\nFrom: a\n\nbody\n", "Date: x\nFrom: a\n" M "\nbody\n"},
      {"From: a\nMessage-Id: <2>\n\nDate: in the body\n", "From: a\nMessage-Id: <2>\n" D "\nDate: in the body\n"},
      {"DATE : x\nmessage-id\t: <2>\n\n", "DATE : x\nmessage-id\t: <2>\n\n"},
      {"Date:\nMessage-ID:\n\nb", "Date:\nMessage-ID:\n\nb"},
      {"Subject: a\n Date: folded\n\nb\n", "Subject: a\n Date: folded\n" D M "\nb\n"},
      {"Dates: a\nX-Date: b\n\nb\n", "Dates: a\nX-Date: b\n" D M "\nb\n"},
      {"\nbody\n", D M "\nbody\n"},
      {"", D M},
      {"no header at all\n\nDate: x\n", D M "\nno header at all\n\nDate: x\n"},
      {"From: a\nno field\n", "From: a\n" D M "\nno field\n"},
      {"Date: a\nMessage-ID: b\nno field\n", "Date: a\nMessage-ID: b\n\nno field\n"},
      {" folded first\n\nb\n", D M "\n folded first\n\nb\n"},
      {": x\n\n", D M "\n: x\n\n"},
      {"From: a", "From: a\n" D M},
      {"Fro", D M "\nFro"},
      {"Date", D M "\nDate"},
      {"a b: c\n", D M "\na b: c\n"},
      {"From: a\n", "From: a\n" D M},
      {"\xc3\xa4: x\n", D M "\n\xc3\xa4: x\n"},
  };
  char name[200];
  stralloc out = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    const char *t = cases[i].text;

    for (size_t cut = 0; cut <= strlen(t); ++cut) {
      feed(t, strlen(t), cut, &out);
      CHECK_CASE(stralloc_equals(&out, cases[i].want), t);
    }
  }
  memset(name, 'a', sizeof name); /* no field has such a name */
  feed(name, sizeof name, 100, &out);
  CHECK(out.len == sizeof name + strlen(D M) + 1);
  stralloc_free(&out);
  return check_done();
}
