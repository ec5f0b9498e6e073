/* Dates of RFC 3339: what is one, and which second it means; back again. */
#include "mail/date.h"

#include <time.h>

#include "check.h"

static const struct {
  const char *s;
  uint64_t want; /* 0: none */
} cases[] = {
    {"2026-11-26T03:24:30Z", 1795663470},
    {"2026-11-26t03:24:30z", 1795663470},
    {"2026-11-26T03:24:30.25Z", 1795663470},
    {"2026-11-26T04:24:30+01:00", 1795663470},
    {"2026-11-25T22:54:30-04:30", 1795663470},
    {"2024-02-29T00:00:00Z", 1709164800},
    {"2016-12-31T23:59:60Z", 1483228800},
    {"1970-01-01T00:00:01Z", 1},
    {"9999-12-31T23:59:59Z", 253402300799},
    {"1969-12-31T23:59:59Z", 0},
    {"2026-02-29T00:00:00Z", 0},
    {"2026-13-01T00:00:00Z", 0},
    {"2026-00-01T00:00:00Z", 0},
    {"2026-01-00T00:00:00Z", 0},
    {"2026-01-01T24:00:00Z", 0},
    {"2026-01-01T00:60:00Z", 0},
    {"2026-01-01T00:00:61Z", 0},
    {"2026-01-01T00:00:00", 0},
    {"2026-01-01T00:00:00.Z", 0},
    {"2026-01-01T00:00:00ZZ", 0},
    {"2026-01-01T00:00:00+1:00", 0},
    {"2026-01-01T00:00:00+24:00", 0},
    {"2026-01-01 00:00:00Z", 0},
    {"26-01-01T00:00:00Z", 0},
    {"", 0},
    {"x", 0},
};

/* Every day there is, the hours with it, as the system's calendar has it. */
static void all_days(void) {
  char got[DATE_TEXT], want[64];

  for (int64_t t = 0, n = 0; t <= INT64_C(253402300799); t += 86400 - n % 3, ++n) {
    time_t at = t;
    struct tm tm;

    gmtime_r(&at, &tm);
    strftime(want, sizeof want, "%a %b %d %H:%M:%S %Y", &tm);
    date_fmt_mbox(got, t);
    if (strcmp(got, want)) CHECK_CASE(0, want);
  }
  date_fmt(got, INT64_C(253402300800), "-0000");
  CHECK(!strcmp(got, "31 Dec 9999 23:59:59 -0000"));
  date_fmt(got, -1, "-0000");
  CHECK(!strcmp(got, "1 Jan 1970 00:00:00 -0000"));
}

int main(void) {
  char text[DATE_3339];

  all_days();

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    uint64_t when = 0;

    CHECK_CASE(date_scan_3339(cases[i].s, strlen(cases[i].s), &when) == (cases[i].want != 0), cases[i].s);
    CHECK_CASE(when == cases[i].want, cases[i].s);
    for (size_t n = 0; cases[i].want && n < strlen(cases[i].s); ++n) CHECK_CASE(!date_scan_3339(cases[i].s, n, &when), cases[i].s);
  }
  date_fmt_3339(text, 1795663470);
  CHECK(!strcmp(text, "2026-11-26T03:24:30Z"));
  return check_done();
}
