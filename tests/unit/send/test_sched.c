/* The scheduler under a simulated clock: retry times, turns, limits, expiry, and weeks of a
 * queue with a seeded source of failures. */
#include "send/sched.h"

#include <stdio.h>
#include <stdlib.h>

#include "check.h"

#define DAY INT64_C(86400)
#define BIRTH INT64_C(1000000000)

static struct message *make(uint64_t id, int64_t birth, size_t local, size_t remote, const char *sender) {
  struct message *m = message_new();
  uint32_t index = 0;

  m->id = id;
  m->birth = (uint64_t)birth;
  CHECK(stralloc_copys(&m->sender, sender));
  for (size_t i = 0; i < local; ++i) CHECK(message_add_recipient(m, CHANNEL_LOCAL, index++, "l@x", 0));
  for (size_t i = 0; i < remote; ++i) CHECK(message_add_recipient(m, CHANNEL_REMOTE, index++, "r@y", 0));
  return m;
}

static void init(struct sched *s, size_t limit) {
  memset(s, 0, sizeof *s);
  s->channel[CHANNEL_LOCAL].limit = s->channel[CHANNEL_REMOTE].limit = limit;
  s->lifetime = s->bounce_lifetime = 7 * DAY;
}

static void retry_times(void) {
  static const struct {
    enum channel channel;
    int64_t age, want;
  } cases[] = {
      {CHANNEL_LOCAL, 0, 100},     {CHANNEL_LOCAL, 100, 400},   {CHANNEL_LOCAL, 400, 900},
      {CHANNEL_REMOTE, 0, 400},    {CHANNEL_REMOTE, 400, 1600}, {CHANNEL_REMOTE, 1600, 3600},
      {CHANNEL_REMOTE, 3600, 6400}, {CHANNEL_LOCAL, -50, 50}, /* counted from now: the clock was set back */
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i)
    CHECK(sched_retry(BIRTH, BIRTH + cases[i].age, cases[i].channel) == BIRTH + cases[i].want);
}

static void limits_and_turns(void) {
  struct sched s;
  struct message *big = make(1, BIRTH, 0, 1000, "a");
  struct message *small = make(2, BIRTH, 0, 1, "b");
  struct message *m;
  struct recipient *r, *first;

  init(&s, 3);
  CHECK(sched_add(&s, big, BIRTH));
  CHECK(sched_take(&s, CHANNEL_REMOTE, BIRTH, &m, &first) && m == big);
  CHECK(sched_take(&s, CHANNEL_REMOTE, BIRTH, &m, &r) && m == big && r != first);
  CHECK(sched_add(&s, small, BIRTH));
  /* One turn of the big one may come first; then it is the small one's. */
  CHECK(sched_take(&s, CHANNEL_REMOTE, BIRTH, &m, &r));
  CHECK(!sched_take(&s, CHANNEL_REMOTE, BIRTH, &m, &r)); /* the limit */
  CHECK(sched_result(&s, big, first, 1, BIRTH));
  CHECK(sched_take(&s, CHANNEL_REMOTE, BIRTH, &m, &r));
  CHECK(small->recipient[0].state == RECIPIENT_RUNNING);
  CHECK(!sched_take(&s, CHANNEL_LOCAL, BIRTH, &m, &r));
  s.channel[CHANNEL_REMOTE].held = 1;
  CHECK(sched_result(&s, small, &small->recipient[0], 1, BIRTH) && sched_finished(small));
  CHECK(!sched_take(&s, CHANNEL_REMOTE, BIRTH, &m, &r));
  sched_remove(&s, big);
  message_free(big);
  message_free(small);
  sched_free(&s);
}

static void deferred_comes_back(void) {
  struct sched s;
  struct message *a = make(1, BIRTH, 1, 1, "a");
  struct message *m;
  struct recipient *r;

  init(&s, 10);
  CHECK(sched_add(&s, a, BIRTH));
  CHECK(sched_next_due(&s) == INT64_MAX);
  CHECK(sched_take(&s, CHANNEL_REMOTE, BIRTH, &m, &r));
  CHECK(sched_result(&s, m, r, 0, BIRTH + 5));
  CHECK(sched_next_due(&s) == BIRTH + 484); /* (isqrt(5) + 20) squared */
  CHECK(!sched_take(&s, CHANNEL_REMOTE, BIRTH + 483, &m, &r));
  CHECK(sched_take(&s, CHANNEL_LOCAL, BIRTH + 483, &m, &r));
  CHECK(sched_result(&s, m, r, 1, BIRTH + 483) && !sched_finished(a));
  CHECK(sched_take(&s, CHANNEL_REMOTE, BIRTH + 484, &m, &r));
  CHECK(sched_result(&s, m, r, 0, BIRTH + 490));
  sched_all_due(&s, BIRTH + 491);
  CHECK(sched_take(&s, CHANNEL_REMOTE, BIRTH + 491, &m, &r));
  CHECK(sched_result(&s, m, r, 1, BIRTH + 492) && sched_finished(a));
  CHECK(sched_next_due(&s) == INT64_MAX);
  message_free(a);
  sched_free(&s);
}

static void tried_before_a_restart(void) {
  struct sched s;
  struct message *a = make(1, BIRTH, 0, 1, "a");
  struct message *m;
  struct recipient *r;

  init(&s, 1);
  a->tried = BIRTH + 400;
  CHECK(sched_add(&s, a, BIRTH + 500));
  CHECK(!sched_take(&s, CHANNEL_REMOTE, BIRTH + 500, &m, &r));
  CHECK(sched_next_due(&s) == BIRTH + 1600);
  sched_remove(&s, a);
  CHECK(sched_next_due(&s) == INT64_MAX);
  message_free(a);
  sched_free(&s);
}

/* A message no server takes: how often it is tried in a week, and that the last try is known. */
static void a_week_of_refusals(void) {
  struct sched s;
  struct message *a = make(1, BIRTH, 0, 1, "a");
  struct message *m;
  struct recipient *r;
  int64_t now = BIRTH;
  int tries = 0;
  int last = 0;

  init(&s, 1);
  CHECK(sched_add(&s, a, now));
  while (!last) {
    CHECK(sched_take(&s, CHANNEL_REMOTE, now, &m, &r));
    last = sched_is_last(m, CHANNEL_REMOTE);
    ++tries;
    CHECK(last == (now - BIRTH > 7 * DAY));
    CHECK(sched_result(&s, m, r, last, now));
    if (!last) now = sched_next_due(&s);
  }
  CHECK(sched_finished(a));
  CHECK(tries == 40); /* 400 n^2 passes a week at n = 39 */
  message_free(a);
  sched_free(&s);
}

/* A clock that jumps back and forth neither loses a message nor tries it in a frenzy. */
static void jumping_clock(void) {
  struct sched s;
  struct message *a = make(1, BIRTH, 0, 1, "a");
  struct message *m;
  struct recipient *r;

  init(&s, 1);
  CHECK(sched_add(&s, a, BIRTH));
  CHECK(sched_take(&s, CHANNEL_REMOTE, BIRTH, &m, &r));
  CHECK(sched_result(&s, m, r, 0, BIRTH - 100000));
  CHECK(sched_next_due(&s) == BIRTH - 100000 + 400);
  CHECK(!sched_take(&s, CHANNEL_REMOTE, BIRTH - 100000, &m, &r));
  CHECK(sched_take(&s, CHANNEL_REMOTE, BIRTH + 400, &m, &r));
  CHECK(sched_result(&s, m, r, 1, BIRTH + 400));
  message_free(a);
  sched_free(&s);
}

/* Many messages, a third of the attempts deferred: all are delivered once, within the limits, and
 * the same seed gives the same course of events. */
static uint64_t simulate(unsigned seed) {
  enum { N = 2000 };
  static struct message *all[N];
  struct sched s;
  int64_t now = BIRTH;
  uint64_t course = 0;
  size_t finished = 0;

  init(&s, 7);
  srand(seed);
  for (size_t i = 0; i < N; ++i) {
    all[i] = make(i + 1, now, i % 3, 1 + i % 4, i % 5 ? "a" : "");
    CHECK(sched_add(&s, all[i], now));
  }
  while (finished < N) {
    struct message *m;
    struct recipient *r;
    int progress = 0;

    for (int ch = 0; ch < CHANNELS; ++ch)
      while (sched_take(&s, (enum channel)ch, now, &m, &r)) {
        int done = rand() % 3 != 0 || sched_is_last(m, (enum channel)ch);

        CHECK(s.channel[ch].running <= 7);
        course = course * 31 + m->id * 2 + (uint64_t)done;
        CHECK(sched_result(&s, m, r, done, now));
        finished += (size_t)sched_finished(m);
        progress = 1;
      }
    if (!progress) {
      CHECK(sched_next_due(&s) > now || finished == N);
      now = sched_next_due(&s);
      if (now == INT64_MAX) break;
    }
  }
  CHECK(finished == N);
  for (size_t i = 0; i < N; ++i) {
    CHECK(sched_finished(all[i]));
    message_free(all[i]);
  }
  CHECK(now - BIRTH < 7 * DAY);
  sched_free(&s);
  return course;
}

int main(void) {
  uint64_t first = simulate(1);

  retry_times();
  limits_and_turns();
  deferred_comes_back();
  tried_before_a_restart();
  a_week_of_refusals();
  jumping_clock();
  CHECK(simulate(1) == first);
  CHECK(simulate(2) != first);
  return check_done();
}
