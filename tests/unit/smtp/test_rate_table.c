/* Limits in simulated time. */
#include "smtp/rate_table.h"

#include <string.h>

#include "check.h"

static struct rate_table t = {.magic = RATE_MAGIC, .seed = 42};

static void parse(void) {
  static const struct {
    const char *text;
    int want;
    uint64_t count, seconds;
  } cases[] = {{"", 1, 0, 0},      {"10/60", 1, 10, 60},   {"0/60", 1, 0, 60}, {"1/31622400", 1, 1, 31622400}, {"10", 0, 0, 0},
               {"10/", 0, 0, 0},   {"/60", 0, 0, 0},       {"10/0", 0, 0, 0},  {"10/31622401", 0, 0, 0},       {"a/60", 0, 0, 0},
               {"10/60s", 0, 0, 0}, {"-1/60", 0, 0, 0},     {" 1/60", 0, 0, 0}, {"99999999999/60", 0, 0, 0},    {"1/2/3", 0, 0, 0}};

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    struct rate_limits l;

    CHECK_CASE(rate_limits_parse(cases[i].text, &l) == cases[i].want, cases[i].text);
    if (cases[i].want) CHECK_CASE(l.n == !!cases[i].seconds && l.limit[0].count == cases[i].count && l.limit[0].seconds == cases[i].seconds, cases[i].text);
  }
}

static void parse_several(void) {
  static const struct {
    const char *text;
    size_t n; /* 0: refused */
  } cases[] = {{"1/2 3/4", 2}, {"1/2  3/4 5/6 7/8", 4}, {"1/2 3/4 5/6 7/8 9/10", 0}, {"1/2 ", 0}, {"1/2 3", 0}, {"1/2 /4", 0}, {"1/2,3/4", 0}, {"1/2\t3/4", 0}};

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    struct rate_limits l;
    int r = rate_limits_parse(cases[i].text, &l);

    CHECK_CASE(r == !!cases[i].n, cases[i].text);
    if (r) CHECK_CASE(l.n == cases[i].n && l.limit[1].count == 3 && l.limit[1].seconds == 4, cases[i].text);
  }
}

/* An hour and a day: neither may be over, and what one of them refuses uses up nothing of the other. */
static void several(void) {
  const struct rate_limits l = {{{3, 3600}, {5, 86400}}, 2};
  const int64_t day = 1795651200;
  const struct {
    int64_t at;
    int look;
    enum rate_verdict want;
  } steps[] = {
      {0, 0, RATE_WITHIN},     {1, 0, RATE_WITHIN},    {2, 0, RATE_WITHIN},    {3, 1, RATE_OVER_FIRST}, {3, 0, RATE_OVER_FIRST}, {4, 0, RATE_OVER},
      {7300, 0, RATE_WITHIN},  {7301, 1, RATE_WITHIN}, {7301, 0, RATE_WITHIN}, {7302, 0, RATE_OVER_FIRST}, {7303, 0, RATE_OVER}, {20000, 0, RATE_OVER},
      {200000, 0, RATE_WITHIN},
  };

  for (size_t i = 0; i < sizeof steps / sizeof *steps; ++i) {
    char name[16];

    snprintf(name, sizeof name, "step %zu", i);
    CHECK_CASE(rate_hit_all(&t, "several", 7, &l, day + steps[i].at, steps[i].look) == steps[i].want, name);
  }
  CHECK(rate_hit_all(&t, "several", 7, &(const struct rate_limits){.n = 0}, day, 0) == RATE_WITHIN);
}

static enum rate_verdict hit(const char *key, uint64_t count, uint64_t seconds, int64_t now, int look) {
  const struct rate_limit l = {count, seconds};

  return rate_hit(&t, key, strlen(key), &l, now, look);
}

static void counts(void) {
  const int64_t now = 1795663440; /* where a minute begins */

  for (int i = 0; i < 5; ++i) CHECK(hit("a", 5, 60, now + i, 0) == RATE_WITHIN);
  CHECK(hit("a", 5, 60, now + 5, 0) == RATE_OVER_FIRST);
  CHECK(hit("a", 5, 60, now + 6, 0) == RATE_OVER);
  CHECK(hit("b", 5, 60, now + 6, 0) == RATE_WITHIN);
  /* the window before counts by the part of it that is left */
  CHECK(hit("a", 5, 60, now + 61, 0) != RATE_WITHIN || hit("a", 5, 60, now + 61, 0) != RATE_WITHIN);
  CHECK(hit("a", 5, 60, now + 119, 0) == RATE_WITHIN);
  CHECK(hit("a", 5, 60, now + 300, 0) == RATE_WITHIN);
  /* a clock set back locks nobody out, and lets nobody through at will */
  CHECK(hit("a", 5, 60, now, 0) == RATE_WITHIN);
  for (int i = 0; i < 5; ++i) (void)hit("a", 5, 60, now, 0);
  CHECK(hit("a", 5, 60, now, 0) != RATE_WITHIN);
  CHECK(hit("a", 5, 60, now + 1000, 0) == RATE_WITHIN);
  CHECK(hit("none", 0, 60, now, 0) == RATE_OVER_FIRST && hit("none", 0, 60, now, 0) == RATE_OVER);
  CHECK(hit("any", 0, 0, now, 0) == RATE_WITHIN);
  CHECK(hit("early", 1, 60, -5, 0) == RATE_WITHIN);
}

/* Over a long time the rate is the limit's, whoever tries how often. */
static void steady(void) {
  int through = 0;

  for (int64_t s = 0; s < 6000; ++s) through += hit("steady", 10, 60, 1800000000 + s, 0) == RATE_WITHIN;
  CHECK(through >= 950 && through <= 1060);
}

static void looking(void) {
  CHECK(hit("look", 1, 60, 1795663470, 1) == RATE_WITHIN);
  CHECK(hit("look", 1, 60, 1795663470, 1) == RATE_WITHIN);
  CHECK(hit("look", 1, 60, 1795663470, 0) == RATE_WITHIN);
  CHECK(hit("look", 1, 60, 1795663470, 1) == RATE_OVER_FIRST);
  CHECK(hit("look", 1, 60, 1795663470, 1) == RATE_OVER_FIRST); /* nothing was remembered */
}

/* More keys than places: those that come most are still counted. */
static void crowded(void) {
  char key[32];
  int refused = 0;

  for (int i = 0; i < 200000; ++i) {
    snprintf(key, sizeof key, "k%d", i);
    (void)hit(key, 100, 3600, 1795663470 + i / 100, 0);
    if (i % 100 == 0) refused += hit("busy", 100, 3600, 1795663470 + i / 100, 0) != RATE_WITHIN;
  }
  CHECK(refused > 1000);
}

int main(void) {
  parse();
  parse_several();
  several();
  counts();
  steady();
  looking();
  crowded();
  return check_done();
}
