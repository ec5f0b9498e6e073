/* When a message is tried again, and the clock that counts. */
#include "send/retry.h"

#include "check.h"
#include "send/clock.h"

#define BIRTH INT64_C(1000000000)

static void quadratic(void) {
  static const struct {
    enum channel channel;
    int64_t age, want;
  } cases[] = {
      {CHANNEL_LOCAL, 0, 100},      {CHANNEL_LOCAL, 100, 400},    {CHANNEL_LOCAL, 400, 900},
      {CHANNEL_REMOTE, 0, 400},     {CHANNEL_REMOTE, 400, 1600},  {CHANNEL_REMOTE, 1600, 3600},
      {CHANNEL_REMOTE, 3600, 6400}, {CHANNEL_LOCAL, -50, 100},
  };
  struct retry r;

  CHECK(retry_parse(&r, "") && r.steps == 0);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    CHECK(retry_quadratic(BIRTH, BIRTH + cases[i].age, cases[i].channel) == BIRTH + cases[i].want);
    CHECK(retry_next(&r, BIRTH, BIRTH + cases[i].age, cases[i].channel) == BIRTH + cases[i].want);
  }
  for (int64_t age = 0; age < 40 * 86400; age += 977)
    CHECK(retry_next(&r, BIRTH, BIRTH + age, CHANNEL_LOCAL) > BIRTH + age);
}

static void schedule(void) {
  static const struct {
    int64_t age, want;
  } cases[] = {
      {0, 300}, {299, 599}, {300, 900}, {899, 1499}, {900, 4500}, {4500, 8100}, {1000000, 1003600}, {-5, 295},
  };
  struct retry r;

  CHECK(retry_parse(&r, " 300 600\t3600 ") && r.steps == 3);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i)
    CHECK(retry_next(&r, BIRTH, BIRTH + cases[i].age, CHANNEL_REMOTE) == BIRTH + cases[i].want);
}

static void bad_schedules(void) {
  static const char *const bad[] = {"0", "60 0", "-1", "ten", "60,120", "2592001", "99999999999999999999", "60 x"};
  char many[4 * RETRY_STEPS + 8] = "";
  struct retry r;

  CHECK(retry_parse(&r, "60"));
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) CHECK_CASE(!retry_parse(&r, bad[i]), bad[i]);
  for (size_t i = 0; i < RETRY_STEPS; ++i) memcpy(many + 3 * i, "60 ", 4);
  CHECK(retry_parse(&r, many) && r.steps == RETRY_STEPS);
  memcpy(many + 3 * (size_t)RETRY_STEPS, "60", 3);
  CHECK(!retry_parse(&r, many) && r.steps == RETRY_STEPS); /* what was there stays */
}

static void clocks(void) {
  static const int64_t jumps[] = {0, 365 * INT64_C(86400), -365 * INT64_C(86400), 3600, -1};
  struct clock c;

  clock_start(&c, BIRTH, 5 * NS_PER_S);
  for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; ++i) {
    int64_t wall = BIRTH + 100 + jumps[i]; /* what the wall clock says 100 seconds later */
    deadline mono = 105 * NS_PER_S;

    CHECK(clock_now(&c, mono) == BIRTH + 100);
    CHECK(clock_past(&c, wall - 30, wall, mono) == BIRTH + 70);
    CHECK(clock_past(&c, wall + 30, wall, mono) == BIRTH + 100);
  }
}

int main(void) {
  quadratic();
  schedule();
  bad_schedules();
  clocks();
  return check_done();
}
