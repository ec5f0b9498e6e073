/* The scheduler's rules one by one: turns, limits, batches, expiry, held destinations, orders from
 * outside, memory. test_sched_weeks.c lets it run. */
#include "send/sched.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

#define DAY INT64_C(86400)
#define BIRTH INT64_C(1000000000)

static struct message *make(uint64_t id, const char *sender, size_t n, const char *const *address) {
  size_t text = strlen(sender) + 3;
  struct message *m;

  for (size_t i = 0; i < n; ++i) text += strlen(address[i]) + 1;
  m = message_new(n, text);
  m->id = id;
  m->birth = BIRTH;
  message_set_head(m, sender, "", "");
  for (size_t i = 0; i < n; ++i)
    message_add_recipient(m, strstr(address[i], "@here") ? CHANNEL_LOCAL : CHANNEL_REMOTE, (uint32_t)i, address[i]);
  return m;
}

/* n recipients u0@host, u1@host ... */
static struct message *make_many(uint64_t id, const char *sender, size_t n, const char *host) {
  char (*text)[64] = calloc(n, sizeof *text);
  const char **address = calloc(n, sizeof *address);
  struct message *m;

  for (size_t i = 0; i < n; ++i) {
    snprintf(text[i], sizeof text[i], "u%zu@%s", i, host);
    address[i] = text[i];
  }
  m = make(id, sender, n, address);
  free(text);
  free(address);
  return m;
}

static void init(struct sched *s, size_t limit) {
  sched_init(s, 1);
  s->channel[CHANNEL_LOCAL].limit = s->channel[CHANNEL_REMOTE].limit = limit;
  s->batch_max = 100;
  sched_set_lifetimes(s, 7 * DAY, 7 * DAY);
}

static int64_t over(struct sched *s, const struct batch *b, int done, enum feedback f, int64_t now) {
  char outcome[500];

  memset(outcome, done, sizeof outcome);
  return sched_result(s, b, outcome, f, now);
}

static void drop(struct sched *s, struct message *m) {
  sched_remove(s, m, BIRTH);
  message_free(m);
}

/* Recipients of one destination travel together, whatever their order and case; the others alone. */
static void batches(void) {
  static const char *const to[] = {"a@x.example", "l@here", "b@y.example", "c@X.Example", "d@x.example", "m@here", "e"};
  struct sched s;
  struct message *m = make(1, "s@s", 7, to);
  struct batch b;
  size_t sizes[4] = {0};

  init(&s, 20);
  CHECK(sched_add(&s, m, 0, BIRTH) && m->bundles == 4);
  while (sched_take(&s, CHANNEL_REMOTE, BIRTH, &b)) {
    const struct recipient *r = &m->recipient[b.first];

    sizes[b.n]++;
    for (uint32_t i = 1; i < b.n; ++i) CHECK(r[i - 1].index < r[i].index);
    if (b.n == 3) CHECK(r[0].index == 0 && r[1].index == 3 && r[2].index == 4);
    CHECK(over(&s, &b, 1, FEEDBACK_ALIVE, BIRTH) == 0);
  }
  CHECK(sizes[1] == 2 && sizes[3] == 1);
  for (int i = 0; i < 2; ++i) {
    CHECK(sched_take(&s, CHANNEL_LOCAL, BIRTH, &b) && b.n == 1);
    over(&s, &b, 1, FEEDBACK_ALIVE, BIRTH);
  }
  CHECK(!sched_take(&s, CHANNEL_LOCAL, BIRTH, &b) && sched_finished(m));
  message_free(m);
  sched_free(&s);
}

static void batch_limits(void) {
  struct sched s;
  struct message *many = make_many(1, "s@s", 250, "x.example");
  struct message *verp = make_many(2, "list-@s-@[]", 3, "y.example");
  struct batch b;
  size_t n[2] = {0};

  init(&s, 20);
  CHECK(sched_add(&s, many, 0, BIRTH) && sched_add(&s, verp, 0, BIRTH));
  while (sched_take(&s, CHANNEL_REMOTE, BIRTH, &b)) {
    CHECK(b.n == (b.m == verp ? 1 : n[0] == 2 ? 50 : 100));
    n[b.m == verp]++;
    over(&s, &b, 1, FEEDBACK_ALIVE, BIRTH);
  }
  CHECK(n[0] == 3 && n[1] == 3);
  message_free(many);
  message_free(verp);
  sched_free(&s);
}

static void only_the_deferred_come_back(void) {
  struct sched s;
  struct message *m = make_many(1, "s@s", 5, "x.example");
  struct batch b;

  init(&s, 20);
  CHECK(sched_add(&s, m, 0, BIRTH) && sched_take(&s, CHANNEL_REMOTE, BIRTH, &b) && b.n == 5);
  CHECK(sched_next_due(&s) == INT64_MAX);
  sched_result(&s, &b, "\1\0\1\1\0", FEEDBACK_ALIVE, BIRTH + 5);
  CHECK(sched_next_due(&s) == BIRTH + 484); /* (isqrt(5) + 20) squared */
  CHECK(!sched_take(&s, CHANNEL_REMOTE, BIRTH + 483, &b));
  CHECK(sched_take(&s, CHANNEL_REMOTE, BIRTH + 484, &b) && b.n == 2 && m->left == 2);
  CHECK(m->recipient[b.first].index == 1 && m->recipient[b.first + 1].index == 4);
  sched_result(&s, &b, "\0\1", FEEDBACK_ALIVE, BIRTH + 490);
  sched_all_due(&s, BIRTH + 491);
  CHECK(sched_take(&s, CHANNEL_REMOTE, BIRTH + 491, &b) && b.n == 1 && m->recipient[b.first].index == 1);
  over(&s, &b, 1, FEEDBACK_ALIVE, BIRTH + 492);
  CHECK(sched_finished(m) && sched_next_due(&s) == INT64_MAX);
  message_free(m);
  sched_free(&s);
}

static void tried_before_a_restart(void) {
  struct sched s;
  struct message *m = make_many(1, "s@s", 1, "x.example");
  struct batch b;

  init(&s, 1);
  CHECK(sched_add(&s, m, BIRTH + 400, BIRTH + 500));
  CHECK(!sched_take(&s, CHANNEL_REMOTE, BIRTH + 500, &b) && sched_next_due(&s) == BIRTH + 1600);
  drop(&s, m);
  CHECK(sched_next_due(&s) == INT64_MAX);
  sched_free(&s);
}

/* A message to nobody is finished at once. */
static void nobody(void) {
  struct sched s;
  struct message *m = make(1, "s@s", 0, 0);

  init(&s, 1);
  CHECK(sched_add(&s, m, 0, BIRTH) && sched_finished(m));
  drop(&s, m);
  sched_free(&s);
}

/* The limit of the channel, holdremote, and that senders take turns. */
static void limits_and_turns(void) {
  struct sched s;
  struct message *big = make_many(1, "a@a", 1000, "x.example");
  struct message *small = make_many(2, "b@b", 1, "x.example");
  struct batch b, first;

  init(&s, 3);
  CHECK(sched_add(&s, big, 0, BIRTH));
  CHECK(sched_take(&s, CHANNEL_REMOTE, BIRTH, &first) && first.m == big);
  CHECK(sched_add(&s, small, 0, BIRTH));
  CHECK(sched_take(&s, CHANNEL_REMOTE, BIRTH, &b));
  CHECK(sched_take(&s, CHANNEL_REMOTE, BIRTH, &b));
  CHECK(small->bundle->standing == STAND_DRAINING); /* one of the two was its turn */
  CHECK(!sched_take(&s, CHANNEL_REMOTE, BIRTH, &b) && s.channel[CHANNEL_REMOTE].running == 3);
  over(&s, &first, 1, FEEDBACK_ALIVE, BIRTH);
  s.channel[CHANNEL_REMOTE].held = 1;
  CHECK(!sched_take(&s, CHANNEL_REMOTE, BIRTH, &b));
  s.channel[CHANNEL_REMOTE].held = 0;
  CHECK(sched_take(&s, CHANNEL_REMOTE, BIRTH, &b) && b.m == big);
  message_free(big);
  message_free(small);
}

/* A backlog of retries leaves a quarter of the deliveries to new mail. */
static void room_for_new_mail(void) {
  struct sched s;
  struct message *old[40];
  struct message *fresh = make_many(99, "b@b", 1, "fresh.example");
  struct batch b;
  size_t n = 0;

  init(&s, 20);
  for (size_t i = 0; i < 40; ++i) {
    char host[32];

    snprintf(host, sizeof host, "h%zu.example", i);
    old[i] = make_many(i + 1, "a@a", 1, host);
    CHECK(sched_add(&s, old[i], BIRTH, BIRTH + 1000));
  }
  while (sched_take(&s, CHANNEL_REMOTE, BIRTH + 1000, &b)) ++n;
  CHECK(n == 15);
  CHECK(sched_add(&s, fresh, 0, BIRTH + 1000));
  CHECK(sched_take(&s, CHANNEL_REMOTE, BIRTH + 1000, &b) && b.m == fresh);
  for (size_t i = 0; i < 40; ++i) message_free(old[i]);
  message_free(fresh);
}

/* Which kinds follow each other when n messages of each wait and one delivery runs at a time: letters of
 * priorities. */
static void order_of(const char *waiting, size_t limit, char *order) {
  struct message *m[64];
  size_t n = strlen(waiting);
  struct sched s;
  struct batch b;

  init(&s, limit);
  for (size_t i = 0; i < n; ++i) {
    char host[32];

    snprintf(host, sizeof host, "h%zu.example", i);
    m[i] = make_many(i + 1, "a@a", 1, host);
    m[i]->priority = waiting[i] == 'u' ? 4 : waiting[i] == 'b' ? -3 : 0;
    CHECK(sched_add(&s, m[i], waiting[i] == 'r' ? BIRTH : 0, BIRTH + 1000));
  }
  while (sched_take(&s, CHANNEL_REMOTE, BIRTH + 1000, &b)) {
    *order++ = waiting[b.m->id - 1];
    if (limit == 1) over(&s, &b, 1, FEEDBACK_ALIVE, BIRTH + 1000);
  }
  *order = 0;
  for (size_t i = 0; i < n; ++i) drop(&s, m[i]);
  sched_free(&s);
}

/* Urgent mail has every other turn; what is not urgent waits its turn, and leaves room. */
static void priorities(void) {
  static const struct {
    const char *waiting;
    size_t limit;
    const char *order;
  } cases[] = {
      {"fbu", 1, "ufb"},         {"ffffuuu", 1, "ufufuff"},   {"uuuu", 1, "uuuu"},     {"bbff", 1, "fbfb"},
      {"rubf", 1, "ufbr"},       {"bbbbbbbb", 4, "bbb"},      {"bbbbbrrr", 4, "brb"},  {"bbbbbbbbuf", 4, "ufbb"},
      {"bbbbbuuuuuu", 4, "ubub"},
  };
  char order[64];

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    order_of(cases[i].waiting, cases[i].limit, order);
    CHECK_CASE(!strcmp(order, cases[i].order), order);
  }
}

/* Takes as many as it may: how many. */
static size_t take_all(struct sched *s, int64_t now, struct batch *b) {
  size_t n = 0;

  while (sched_take(s, CHANNEL_REMOTE, now, &b[n])) ++n;
  return n;
}

/* From 5 up by one in as many successes as the limit is, to concurrencyhost; halved once for all
 * that were under way. */
static void learned_limit(void) {
  struct sched s;
  struct message *m = make_many(1, "a@a", 100000, "x.example");
  struct batch b[64];
  const struct destination *d;
  size_t n;

  init(&s, 60);
  s.batch_max = 1;
  s.host_max = 40;
  CHECK(sched_add(&s, m, 0, BIRTH));
  d = m->bundle->d;
  CHECK((n = take_all(&s, BIRTH, b)) == 5);
  for (int round = 0; round < 100; ++round) {
    while (n) over(&s, &b[--n], 1, FEEDBACK_ALIVE, BIRTH);
    n = take_all(&s, BIRTH, b);
    if (round == 0) CHECK(n == 5 || n == 6);
  }
  CHECK(n == 40);
  over(&s, &b[--n], 0, FEEDBACK_SLOW, BIRTH);
  CHECK(destination_limit(d, KIND_FRESH, 40) == 20);
  while (n) over(&s, &b[--n], 0, FEEDBACK_SLOW, BIRTH); /* they were too many together, not each */
  CHECK(destination_limit(d, KIND_FRESH, 40) == 20);
  CHECK((n = take_all(&s, BIRTH, b)) == 20);
  while (n) over(&s, &b[--n], 0, FEEDBACK_NOTHING, BIRTH);
  CHECK(destination_limit(d, KIND_FRESH, 40) == 20);
  for (int i = 0; i < 10; ++i) {
    n = take_all(&s, BIRTH, b);
    CHECK(n >= 1);
    while (n) over(&s, &b[--n], 0, FEEDBACK_SLOW, BIRTH);
  }
  CHECK((n = take_all(&s, BIRTH, b)) == 1); /* never less */
  over(&s, &b[0], 1, FEEDBACK_ALIVE, BIRTH);
  s.host_max = 0;
  drop(&s, m);
  sched_free(&s);
}

/* An unreachable destination is left alone twice as long each time, up to half an hour, give or
 * take an eighth; an answer opens it. */
static void unreachable(void) {
  struct sched s;
  struct message *m = make_many(1, "a@a", 1000, "x.example");
  struct batch b[64];
  int64_t now = BIRTH;
  int64_t want = 60;

  init(&s, 20);
  s.batch_max = 1;
  CHECK(sched_add(&s, m, 0, now));
  CHECK(take_all(&s, now, b) == 5);
  for (int i = 0; i < 5; ++i) {
    int64_t held = over(&s, &b[i], 0, FEEDBACK_UNREACHABLE, now);

    CHECK(i ? held == 0 : held >= 53 && held <= 67); /* the five say it together */
  }
  for (int i = 0; i < 10; ++i) {
    int64_t next = sched_next_due(&s);

    CHECK(next - now >= want - want / 8 && next - now <= want + want / 8);
    CHECK(take_all(&s, next - 1, b) == 0);
    now = next;
    CHECK(take_all(&s, now, b) == (i ? 1 : 2));
    if (!i) over(&s, &b[1], 0, FEEDBACK_NOTHING, now);
    over(&s, &b[0], 0, FEEDBACK_UNREACHABLE, now);
    want = want * 2 > 1800 ? 1800 : want * 2;
  }
  sched_all_due(&s, now);
  CHECK(take_all(&s, now, b) == 1); /* ALRM asks at once */
  over(&s, &b[0], 0, FEEDBACK_ALIVE, now);
  CHECK(take_all(&s, now, b) == 2);
  over(&s, &b[0], 0, FEEDBACK_NOTHING, now);
  over(&s, &b[1], 0, FEEDBACK_NOTHING, now);
  drop(&s, m);
  sched_free(&s);
}

/* A message that gets too old while its destination is held is tried for the last time all the
 * same, at that moment. */
static void last_attempt_is_made(void) {
  struct sched s;
  struct message *m = make_many(1, "a@a", 3, "x.example");
  struct message *bounce = make_many(2, "", 1, "x.example");
  struct batch b[64];
  int64_t now = BIRTH;
  int attempts = 0;
  int last = 0;

  init(&s, 20);
  sched_set_lifetimes(&s, 7 * DAY, 3600);
  CHECK(sched_add(&s, m, 0, now) && sched_add(&s, bounce, 0, now));
  while (!sched_finished(m)) {
    size_t n = take_all(&s, now, b);

    for (size_t i = 0; i < n; ++i) {
      int64_t life = b[i].m == m ? 7 * DAY : 3600;

      CHECK(sched_is_last(&b[i]) == (now - BIRTH > life));
      if (b[i].m == m) ++attempts, last = sched_is_last(&b[i]);
      else if (sched_is_last(&b[i])) CHECK(now <= BIRTH + 3600 + 6400);
      over(&s, &b[i], sched_is_last(&b[i]), FEEDBACK_UNREACHABLE, now);
    }
    if (!sched_finished(m)) CHECK(sched_next_due(&s) > now);
    if (!sched_finished(m)) now = sched_next_due(&s);
  }
  CHECK(last && attempts > 30 && attempts <= 40 && sched_finished(bounce));
  CHECK(now > BIRTH + 7 * DAY && now < BIRTH + 8 * DAY);
  message_free(m);
  message_free(bounce);
  sched_free(&s);
}

/* What the rates will use: nobody goes there before that time, last attempts neither. */
static void held_from_outside(void) {
  struct sched s;
  struct message *m = make_many(1, "a@a", 1, "x.example");
  struct message *old = make_many(2, "a@a", 1, "x.example");
  struct batch b[64];

  init(&s, 20);
  old->birth = BIRTH - 8 * DAY;
  CHECK(sched_destination_hold(&s, CHANNEL_REMOTE, "X.example", BIRTH + 77, BIRTH));
  CHECK(sched_add(&s, m, 0, BIRTH) && sched_add(&s, old, 0, BIRTH));
  CHECK(take_all(&s, BIRTH, b) == 0 && sched_next_due(&s) == BIRTH + 77);
  sched_all_due(&s, BIRTH);
  CHECK(take_all(&s, BIRTH + 76, b) == 0);
  CHECK(take_all(&s, BIRTH + 77, b) == 2);
  over(&s, &b[0], 1, FEEDBACK_ALIVE, BIRTH + 77);
  over(&s, &b[1], 1, FEEDBACK_ALIVE, BIRTH + 77);
  message_free(m);
  message_free(old);
  sched_free(&s);
}

/* A shorter lifetime counts at once for those that are waiting in line. */
static void lifetimes_change(void) {
  struct sched s;
  struct message *m = make_many(1, "a@a", 1, "x.example");
  struct batch b[64];

  init(&s, 20);
  CHECK(sched_add(&s, m, 0, BIRTH) && take_all(&s, BIRTH, b) == 1);
  over(&s, &b[0], 0, FEEDBACK_UNREACHABLE, BIRTH + 399);
  CHECK(take_all(&s, BIRTH + 399, b) == 0);
  CHECK(sched_destination_hold(&s, CHANNEL_REMOTE, "x.example", BIRTH + 399, BIRTH + 399));
  sched_set_lifetimes(&s, 1000, 2000);
  CHECK(s.bounce_lifetime == 1000);
  CHECK(take_all(&s, BIRTH + 1600, b) == 1 && sched_is_last(&b[0]));
  over(&s, &b[0], 1, FEEDBACK_UNREACHABLE, BIRTH + 1600);
  message_free(m);
  sched_free(&s);
}

/* Nothing of a message is tried before its time, whoever is impatient; after it, it is as good as new. */
static void not_before(void) {
  struct sched s;
  struct message *m = make_many(1, "a@a", 1, "x.example");
  struct batch b[64];
  int64_t then = BIRTH + 30 * DAY;

  init(&s, 20);
  m->birth = m->not_before = then;
  CHECK(sched_add(&s, m, 0, BIRTH) && take_all(&s, BIRTH, b) == 0 && sched_next_due(&s) == then);
  sched_all_due(&s, BIRTH + 1);
  sched_retry(&s, m, BIRTH + 2);
  CHECK(sched_retry_destination(&s, CHANNEL_REMOTE, "x.example", BIRTH + 3) == 1);
  sched_hold(&s, m, HELD_BY_ID, BIRTH + 4);
  sched_hold(&s, m, 0, BIRTH + 5);
  CHECK(take_all(&s, then - 1, b) == 0 && sched_next_due(&s) == then);
  CHECK(take_all(&s, then, b) == 1 && b[0].kind == KIND_FRESH);
  over(&s, &b[0], 0, FEEDBACK_ALIVE, then);
  CHECK(sched_next_due(&s) == then + 400);
  drop(&s, m);
  sched_free(&s);
}

/* At the time its sender set a message is tried, for the last time if it is to fail then. */
static void deliver_by(void) {
  for (uint8_t by_return = 0; by_return < 2; ++by_return) {
    struct sched s;
    struct message *m = make_many(1, "a@a", 1, "x.example");
    struct batch b[64];

    init(&s, 20);
    m->by = BIRTH + 100;
    m->by_return = by_return;
    CHECK(sched_add(&s, m, 0, BIRTH) && take_all(&s, BIRTH, b) == 1 && !sched_is_last(&b[0]));
    over(&s, &b[0], 0, FEEDBACK_ALIVE, BIRTH + 10);
    CHECK(sched_next_due(&s) == BIRTH + 100 && take_all(&s, BIRTH + 99, b) == 0);
    CHECK(take_all(&s, BIRTH + 100, b) == 1 && sched_is_last(&b[0]) == by_return);
    over(&s, &b[0], by_return, FEEDBACK_ALIVE, BIRTH + 110);
    CHECK(by_return || sched_next_due(&s) > BIRTH + 400);
    drop(&s, m);
    sched_free(&s);
  }
}

/* Hosts with no mail are forgotten after an hour, and of a flood of them only so many are kept. */
static void forgetting(void) {
  struct sched s;
  struct batch b;

  init(&s, 20);
  for (size_t i = 0; i < 3 * (size_t)DESTINATION_IDLE_MAX; ++i) {
    char host[32];
    struct message *m;

    snprintf(host, sizeof host, "h%zu.example", i);
    m = make_many(i + 1, "a@a", 1, host);
    CHECK(sched_add(&s, m, 0, BIRTH) && sched_take(&s, CHANNEL_REMOTE, BIRTH, &b));
    over(&s, &b, 1, FEEDBACK_ALIVE, BIRTH);
    message_free(m);
  }
  CHECK(s.destinations.all <= DESTINATION_IDLE_MAX + 1);
  for (size_t i = 0; i < 2 * (size_t)DESTINATION_IDLE_MAX; ++i) {
    char host[32];

    snprintf(host, sizeof host, "n%zu.example", i);
    CHECK(sched_destination_hold(&s, CHANNEL_REMOTE, host, 0, BIRTH + DESTINATION_FORGET + 1 + (int64_t)i * 4000));
    CHECK(!sched_take(&s, CHANNEL_REMOTE, BIRTH + DESTINATION_FORGET + 1 + (int64_t)i * 4000, &b));
  }
  CHECK(s.destinations.all < 10);
  sched_free(&s);
}

/* Whatever allocation fails: the message is refused whole, or taken whole, and nothing leaks. */
static void no_memory(void) {
  static const char *const to[] = {"a@x.example", "b@y.example", "l@here", "c@x.example"};

  for (long n = 1;; ++n) {
    struct sched s;
    struct message *m = make(1, "s@s", 4, to);
    struct batch b;
    size_t got = 0;
    long allocs;
    int ok;

    init(&s, 20);
    check_nomem(n);
    ok = sched_add(&s, m, 0, BIRTH);
    allocs = check_allocs();
    check_nomem(0);
    for (int64_t now = BIRTH; ok && !sched_finished(m); now += 61)
      for (int ch = 0; ch < CHANNELS; ++ch)
        while (sched_take(&s, (enum channel)ch, now, &b)) {
          got += b.n;
          over(&s, &b, 1, FEEDBACK_ALIVE, now);
        }
    CHECK(!ok || got == 4);
    sched_remove(&s, m, BIRTH);
    message_free(m);
    for (int ch = 0; ch < CHANNELS; ++ch) CHECK(s.channel[ch].bundles == 0 && s.channel[ch].due.n == 0);
    sched_free(&s);
    if (allocs < n) break;
  }
}

/* Bytes that a deferred message with one recipient costs: 100,000 of them at 1000 hosts. */
static void memory(void) {
  enum { N = 100000 };
  struct sched s;
  struct message **all = calloc(N, sizeof(struct message *));
  size_t before = mallinfo2().uordblks;
  size_t used;

  init(&s, 20);
  for (size_t i = 0; i < N; ++i) {
    char host[32];

    snprintf(host, sizeof host, "host-%zu.example", i % 1000);
    all[i] = make_many(i + 1, "sender@some.example", 1, host);
    CHECK(sched_add(&s, all[i], BIRTH, BIRTH));
  }
  used = mallinfo2().uordblks - before;
  printf("a waiting message takes %zu bytes\n", used / N);
  CHECK(!used || used / N < 320);
  for (size_t i = 0; i < N; ++i) drop(&s, all[i]);
  free(all);
  sched_free(&s);
}

int main(void) {
  batches();
  batch_limits();
  only_the_deferred_come_back();
  tried_before_a_restart();
  nobody();
  limits_and_turns();
  room_for_new_mail();
  priorities();
  learned_limit();
  unreachable();
  last_attempt_is_made();
  held_from_outside();
  lifetimes_change();
  not_before();
  deliver_by();
  forgetting();
  no_memory();
  memory();
  return check_done();
}
