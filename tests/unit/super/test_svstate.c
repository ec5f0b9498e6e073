/* The status file: round trip, the classic 18 bytes, damage; and the words of svstat. */
#include "super/svstate.h"

#include "check.h"

static const struct {
  const char *name;
  struct svstatus s;
  enum svstate state;
  const char *text;
} cases[] = {
    {"up", {{0, 0}, 12, 0, 'u', 0, 1}, SVSTATE_UP, "up (pid 12) 34 seconds, normally down"},
    {"paused", {{0, 0}, 12, 1, 'u', 0, 1}, SVSTATE_PAUSED, "up (pid 12) 34 seconds, normally down, paused"},
    {"leaving", {{0, 0}, 70000, 0, 'd', 0, 1}, SVSTATE_WANT_DOWN,
     "up (pid 70000) 34 seconds, normally down, want down"},
    {"down", {{0, 0}, 0, 0, 'd', 0, 0}, SVSTATE_DOWN, "down 34 seconds"},
    {"once", {{0, 0}, 0, 0, 0, 0, 0}, SVSTATE_DOWN, "down 34 seconds"},
    {"coming", {{0, 0}, 0, 0, 'u', 0, 0}, SVSTATE_WANT_UP, "down 34 seconds, want up"},
    {"waiting", {{0, 0}, 0, 0, 'u', 60, 0}, SVSTATE_WAITING, "down 34 seconds, want up, next start in 60 seconds"},
    {"init", {{0, 0}, 9, 0, 'u', 0, 0}, SVSTATE_UP, "up (pid 9) 34 seconds, normally down, running init"},
};

static int same(const struct svstatus *a, const struct svstatus *b) {
  return a->since.sec == b->since.sec && a->since.nano == b->since.nano && a->pid == b->pid &&
         a->paused == b->paused && a->want == b->want && a->wait == b->wait && a->up == b->up;
}

static void round_trips(void) {
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct svstatus in = cases[i].s, out;
    stralloc text = STRALLOC_INIT;
    char buf[SVSTATUS_SIZE];

    tai64n_from_unix(&in.since, 1700000000, 5);
    svstatus_pack(buf, &in);
    CHECK_CASE(svstatus_parse(buf, sizeof buf, &out) == 1, cases[i].name);
    CHECK_CASE(same(&in, &out), cases[i].name);
    CHECK_CASE(svstatus_state(&out) == cases[i].state, cases[i].name);
    CHECK_CASE(sv_describe(&out, 1, 1700000034, &text) == 1, cases[i].name);
    CHECK_CASE(stralloc_equals(&text, cases[i].text), cases[i].name);
    stralloc_free(&text);
  }
}

static void sizes(void) {
  struct svstatus s, was = {{7, 7}, 7, 0, 0, 0, 0};
  char buf[64] = {0};

  tai64n_pack(buf, &(struct tai64n){UINT64_C(1) << 62, 1});
  buf[12] = 1;
  buf[17] = 'u';
  buf[18] = 99; /* no part of a status of 18 bytes */
  for (size_t n = 0; n < SVSTATUS_CLASSIC; ++n) {
    s = was;
    CHECK(svstatus_parse(buf, n, &s) == 0);
    CHECK(same(&s, &was));
  }
  CHECK(svstatus_parse(buf, SVSTATUS_CLASSIC, &s) == 1);
  CHECK(s.pid == 1 && s.want == 'u' && s.up && !s.wait);
  CHECK(svstatus_parse(buf, sizeof buf, &s) == 1 && s.wait == 99);
  buf[17] = 'x';
  CHECK(svstatus_parse(buf, sizeof buf, &s) == 0);
  buf[17] = 0;
  buf[8] = (char)255; /* more nanoseconds than a second has */
  CHECK(svstatus_parse(buf, sizeof buf, &s) == 0);
}

int main(void) {
  round_trips();
  sizes();
  return check_done();
}
