/* Orders from outside, rule by rule: hold, release, retry, expire, remove, rates; and that a
 * long run with orders at random ends with every recipient done and nothing left behind. */
#include "send/sched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "send/rate.h"

#define DAY INT64_C(86400)
#define BIRTH INT64_C(1000000000)

/* n recipients, u0@host0 u1@host1 ..., the hosts going round in so many. */
static struct message *make_for(enum channel channel, uint64_t id, const char *sender, unsigned n, unsigned hosts,
                                int64_t birth) {
  struct message *m = message_new(n, strlen(sender) + 3 + (size_t)n * 40);
  char address[40];

  m->id = id;
  m->birth = birth;
  message_set_head(m, sender, "", "");
  for (unsigned i = 0; i < n; ++i) {
    snprintf(address, sizeof address, "u%u@host%u.example", i, i % hosts);
    message_add_recipient(m, channel, i, address);
  }
  return m;
}

static struct message *make(uint64_t id, const char *sender, unsigned n, unsigned hosts, int64_t birth) {
  return make_for(CHANNEL_REMOTE, id, sender, n, hosts, birth);
}

static void init(struct sched *s, size_t limit, uint32_t batch) {
  sched_init(s, 1);
  s->channel[CHANNEL_LOCAL].limit = s->channel[CHANNEL_REMOTE].limit = limit;
  s->batch_max = batch;
  sched_set_lifetimes(s, 7 * DAY, 7 * DAY);
}

static void over(struct sched *s, const struct batch *b, int done, int64_t now) {
  char outcome[500];

  memset(outcome, done, sizeof outcome);
  (void)sched_result(s, b, outcome, FEEDBACK_ALIVE, now);
}

static int take(struct sched *s, struct batch *b, int64_t now) {
  return sched_take(s, CHANNEL_REMOTE, now, b);
}

/* Held in the middle of a pass, it goes on there, and tries nobody twice. */
static void hold_in_the_middle(void) {
  struct message *m = make(1, "s@s", 3, 1, BIRTH);
  struct batch b, c;
  struct sched s;

  init(&s, 20, 1);
  CHECK(sched_add(&s, m, 0, BIRTH) && take(&s, &b, BIRTH));
  sched_hold(&s, m, HELD_BY_ID, BIRTH);
  CHECK(!take(&s, &c, BIRTH) && sched_next_due(&s) == INT64_MAX && sched_running(m) == 1);
  over(&s, &b, 0, BIRTH);
  CHECK(!take(&s, &c, BIRTH + DAY) && sched_running(m) == 0 && m->left == 3);
  sched_hold(&s, m, 0, BIRTH + 10);
  CHECK(take(&s, &c, BIRTH + 10) && c.first == 1 && take(&s, &b, BIRTH + 10) && b.first == 2);
  CHECK(!take(&s, &(struct batch){0}, BIRTH + 10));
  over(&s, &c, 1, BIRTH + 10);
  sched_hold(&s, m, HELD_BY_SENDER, BIRTH + 10); /* everybody was started: the pass ends held */
  over(&s, &b, 1, BIRTH + 10);
  CHECK(m->left == 1 && sched_next_due(&s) == INT64_MAX);
  sched_hold(&s, m, 0, BIRTH + 20);
  CHECK(take(&s, &b, BIRTH + 20) && b.n == 1 && b.kind == KIND_RETRY);
  over(&s, &b, 1, BIRTH + 20);
  CHECK(sched_finished(m));
  message_free(m);
  sched_free(&s);
}

static void held_from_the_start(void) {
  struct message *m = make(1, "s@s", 2, 2, BIRTH);
  struct batch b;
  struct sched s;

  init(&s, 20, 1);
  m->held = HELD_BY_SENDER;
  CHECK(sched_add(&s, m, 0, BIRTH) && !take(&s, &b, BIRTH + DAY));
  sched_retry(&s, m, BIRTH + DAY);
  sched_all_due(&s, BIRTH + DAY);
  CHECK(!take(&s, &b, BIRTH + DAY));
  sched_remove(&s, m, BIRTH + DAY);
  CHECK(s.channel[CHANNEL_REMOTE].bundles == 0 && s.channel[CHANNEL_REMOTE].due.n == 0);
  message_free(m);
  sched_free(&s);
}

static void destination_by_order(void) {
  struct message *m = make(1, "s@s", 2, 2, BIRTH - 8 * DAY); /* too old: even last attempts wait */
  struct batch b;
  struct sched s;

  init(&s, 20, 1);
  CHECK(sched_order_destination(&s, CHANNEL_REMOTE, "HOST0.example", 1, BIRTH));
  CHECK(sched_add(&s, m, 0, BIRTH) && take(&s, &b, BIRTH));
  CHECK(!strcmp(b.bundle->d->name, "host1.example") && sched_is_last(&b));
  over(&s, &b, 1, BIRTH);
  CHECK(sched_retry_destination(&s, CHANNEL_REMOTE, "host0.example", BIRTH) == 0 && !take(&s, &b, BIRTH + DAY));
  CHECK(sched_order_destination(&s, CHANNEL_REMOTE, "host0.example", 0, BIRTH + DAY));
  CHECK(sched_order_destination(&s, CHANNEL_REMOTE, "nobody.example", 0, BIRTH + DAY));
  CHECK(!destination_find(&s.destinations, CHANNEL_REMOTE, "nobody.example"));
  CHECK(take(&s, &b, BIRTH + DAY));
  over(&s, &b, 1, BIRTH + DAY);
  CHECK(sched_finished(m));
  message_free(m);
  sched_free(&s);
}

static void retry_and_expire(void) {
  struct message *m = make(1, "s@s", 1, 1, BIRTH);
  struct batch b;
  struct sched s;
  char outcome = 0;

  init(&s, 20, 1);
  CHECK(sched_add(&s, m, 0, BIRTH) && take(&s, &b, BIRTH));
  CHECK(sched_result(&s, &b, &outcome, FEEDBACK_UNREACHABLE, BIRTH) > 0);
  CHECK(!take(&s, &b, BIRTH + 1));
  sched_retry(&s, m, BIRTH + 1);
  CHECK(take(&s, &b, BIRTH + 1) && b.kind == KIND_RETRY && m->bundle->tried == 1);
  over(&s, &b, 0, BIRTH + 1);
  CHECK(m->bundle->tried == 2 && sched_retry_destination(&s, CHANNEL_REMOTE, "host0.example", BIRTH + 2) == 1);
  CHECK(take(&s, &b, BIRTH + 2));
  sched_expire(&s, m, BIRTH + 2); /* the attempt under way is not the last one */
  CHECK(!sched_is_last(&b));
  over(&s, &b, 0, BIRTH + 2);
  sched_expire(&s, m, BIRTH + 3);
  CHECK(take(&s, &b, BIRTH + 3) && sched_is_last(&b));
  over(&s, &b, 1, BIRTH + 3);
  CHECK(sched_finished(m));
  message_free(m);
  sched_free(&s);
}

/* Expired before a restart: due at once, whenever it was tried. */
static void expired_before(void) {
  struct message *m = make(1, "s@s", 1, 1, BIRTH);
  struct batch b;
  struct sched s;

  init(&s, 20, 1);
  m->expired = 1;
  CHECK(sched_add(&s, m, BIRTH + 9, BIRTH + 10) && take(&s, &b, BIRTH + 10) && sched_is_last(&b));
  over(&s, &b, 1, BIRTH + 10);
  message_free(m);
  sched_free(&s);
}

/* Expired while it waits its turn. */
static void expire_active(void) {
  struct message *m = make(1, "s@s", 2, 1, BIRTH);
  struct batch b;
  struct sched s;

  init(&s, 20, 1);
  CHECK(sched_add(&s, m, 0, BIRTH) && take(&s, &b, BIRTH) && !sched_is_last(&b));
  over(&s, &b, 1, BIRTH);
  sched_expire(&s, m, BIRTH);
  sched_expire(&s, m, BIRTH);
  CHECK(take(&s, &b, BIRTH) && sched_is_last(&b));
  over(&s, &b, 1, BIRTH);
  CHECK(sched_finished(m) && s.channel[CHANNEL_REMOTE].due.n == 0);
  message_free(m);
  sched_free(&s);
}

struct rate {
  const char *host;
  int64_t wait;
  uint32_t asked, sent;
};

static int64_t rate(void *ctx, const char *host, uint32_t n) {
  struct rate *r = ctx;

  r->asked++;
  if (!strcmp(host, r->host) && r->wait) return r->wait;
  r->sent += n;
  return 0;
}

static void rates(void) {
  struct message *m = make(1, "s@s", 4, 2, BIRTH);
  struct rate r = {"host0.example", 30, 0, 0};
  struct batch b, c;
  struct sched s;

  init(&s, 20, 100);
  s.rate = rate;
  s.rate_ctx = &r;
  CHECK(sched_add(&s, m, 0, BIRTH) && take(&s, &b, BIRTH) && !take(&s, &c, BIRTH));
  CHECK(!strcmp(b.bundle->d->name, "host1.example") && r.asked == 2 && r.sent == 2);
  CHECK(sched_next_due(&s) == BIRTH + 30 && !take(&s, &c, BIRTH + 29) && r.asked == 2);
  sched_retry(&s, m, BIRTH + 29); /* a rate is not for the impatient */
  CHECK(!take(&s, &c, BIRTH + 29));
  r.wait = 0;
  CHECK(take(&s, &c, BIRTH + 30) && r.sent == 4);
  over(&s, &b, 1, BIRTH + 30);
  over(&s, &c, 1, BIRTH + 30);
  CHECK(sched_finished(m));
  message_free(m);
  sched_free(&s);
}

/* A rate over a day, as the rule of rate.h has it; it is one for both channels. */
struct limited {
  struct rate_record record;
  int64_t now;
};

static int64_t limit(void *ctx, const char *host, uint32_t n) {
  struct limited *l = ctx;

  return strcmp(host, "host0.example") ? 0 : rate_judge(&l->record, n, l->now, DAY);
}

static void local_rates(void) {
  struct limited l = {.now = BIRTH};
  struct message *local = make_for(CHANNEL_LOCAL, 1, "s@s", 400, 2, BIRTH);
  struct message *remote = make(2, "s@s", 200, 1, BIRTH);
  unsigned sent[CHANNELS][2] = {{0, 0}, {0, 0}};
  struct sched s;
  struct batch b;

  init(&s, 500, 1);
  s.rate = limit;
  s.rate_ctx = &l;
  CHECK(rate_set(&l.record, "10/3600", 7));
  CHECK(sched_add(&s, local, 0, BIRTH) && sched_add(&s, remote, 0, BIRTH));
  for (; l.now < BIRTH + DAY; l.now += 60) {
    for (int ch = 0; ch < CHANNELS; ++ch)
      while (sched_take(&s, (enum channel)ch, l.now, &b)) {
        sent[ch][strcmp(b.bundle->d->name, "host0.example") != 0]++;
        over(&s, &b, 1, l.now);
      }
    if (l.now == BIRTH) CHECK(sent[CHANNEL_LOCAL][0] + sent[CHANNEL_REMOTE][0] == 1 && sent[CHANNEL_LOCAL][1] == 200);
  }
  CHECK(sent[CHANNEL_LOCAL][0] + sent[CHANNEL_REMOTE][0] == 240 && sent[CHANNEL_LOCAL][0] > 0);
  message_free(local);
  message_free(remote);
  sched_free(&s);
}

static unsigned state = 1;

static unsigned chance(void) {
  state = state * 1103515245U + 12345U;
  return state >> 16;
}

static void order_at_random(struct sched *s, struct message *m, int64_t now) {
  char host[40];

  snprintf(host, sizeof host, "host%u.example", chance() % 8);
  switch (chance() % 7) {
    case 0: sched_hold(s, m, HELD_BY_ID, now); break;
    case 1: sched_hold(s, m, 0, now); break;
    case 2: sched_retry(s, m, now); break;
    case 3: (void)sched_retry_destination(s, CHANNEL_REMOTE, host, now); break;
    case 4: CHECK(sched_order_destination(s, CHANNEL_REMOTE, host, (int)(chance() % 2), now)); break;
    case 5: sched_expire(s, m, now); break;
    default: sched_all_due(s, now); break;
  }
}

/* Every order in every state of a bundle: the sanitizers and the final counts judge. */
static void at_random(void) {
  enum { N = 60, RUNNING = 12 };
  struct message *m[N];
  struct batch running[RUNNING];
  size_t n = 0, left = 0;
  int64_t now = BIRTH;
  struct sched s;

  init(&s, RUNNING, 2);
  for (size_t i = 0; i < N; ++i) {
    m[i] = make(i + 1, i % 3 ? "s@s" : "t@t", 1 + (unsigned)i % 9, 1 + (unsigned)i % 8, BIRTH);
    CHECK(sched_add(&s, m[i], 0, now));
  }
  for (int step = 0; step < 200000; ++step) {
    if (step < 150000 && chance() % 4 == 0) order_at_random(&s, m[chance() % N], now);
    if (step == 150000) {
      char host[40];

      for (size_t i = 0; i < N; ++i) sched_hold(&s, m[i], 0, now);
      for (unsigned h = 0; h < 8; ++h) {
        snprintf(host, sizeof host, "host%u.example", h);
        CHECK(sched_order_destination(&s, CHANNEL_REMOTE, host, 0, now));
      }
    }
    while (n < RUNNING && take(&s, &running[n], now)) {
      CHECK(!running[n].m->held && !running[n].bundle->d->held_by_order);
      ++n;
    }
    if (n && chance() % 2) {
      size_t k = chance() % n;

      over(&s, &running[k], step > 150000 || chance() % 500 == 0, now);
      running[k] = running[--n];
    }
    now += chance() % 60;
  }
  for (size_t i = 0; i < N; ++i) {
    left += m[i]->left;
    sched_remove(&s, m[i], now);
    message_free(m[i]);
  }
  CHECK(left == 0 && n == 0 && s.channel[CHANNEL_REMOTE].bundles == 0 && s.channel[CHANNEL_REMOTE].running == 0);
  sched_free(&s);
}

int main(void) {
  hold_in_the_middle();
  held_from_the_start();
  destination_by_order();
  retry_and_expire();
  expired_before();
  expire_active();
  rates();
  local_rates();
  at_random();
  return check_done();
}
