/* The scheduler in a simulated world: hosts that take a while, have limits, go down and come back;
 * weeks pass in milliseconds. The same seed gives the same log. */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "send/clock.h"
#include "send/sched.h"

#define DAY INT64_C(86400)
#define BIRTH INT64_C(1000000000)
#define MS INT64_C(1000)
#define TO_THE_END (INT64_MAX - MS)

/* --- the world --- */

struct host {
  const char *name;
  unsigned at_once;         /* more connections than that: 421 */
  int64_t ms, ms_recipient; /* a transaction takes */
  int64_t down, up;         /* seconds after BIRTH: connections fail in between */
  unsigned greylist_in;     /* one of so many recipients is deferred */
  unsigned now, most;       /* connections */
  size_t refused, connections;
};

struct delivery {
  struct batch b;
  struct host *host;
  int64_t end; /* ms */
  enum feedback feedback;
  int refused;
};

struct world {
  struct sched s;
  int64_t ms; /* since BIRTH */
  struct delivery run[500];
  size_t running, recipients, batches, finished;
  struct host *host;
  size_t hosts;
  uint64_t random, log;
  void (*each)(struct world *w, const struct batch *b, int64_t now);
  int64_t watched; /* when a message of this id was delivered, ms */
  uint64_t watch;
};

static uint64_t chance(struct world *w, uint64_t n) {
  return (w->random = hash_mix(w->random, 0x1234567)) % n;
}

static void init(struct world *w, uint64_t seed, struct host *hosts, size_t n) {
  memset(w, 0, sizeof *w);
  sched_init(&w->s, seed);
  w->random = seed;
  w->s.channel[CHANNEL_LOCAL].limit = 10;
  w->s.channel[CHANNEL_REMOTE].limit = 20;
  w->s.host_max = 20;
  w->s.batch_max = 100;
  sched_set_lifetimes(&w->s, 7 * DAY, 7 * DAY);
  w->host = hosts;
  w->hosts = n;
  w->watched = -1;
}

static int64_t now_of(const struct world *w) {
  return BIRTH + w->ms / MS;
}

static struct message *send_many(struct world *w, uint64_t id, const char *sender, size_t n, const char *host) {
  struct message *m = message_new(n, strlen(sender) + 3 + n * (strlen(host) + 12));
  char address[128];

  m->id = id;
  m->birth = now_of(w);
  message_set_head(m, sender, "", "");
  for (size_t i = 0; i < n; ++i) {
    snprintf(address, sizeof address, "u%zu@%s", i, host);
    message_add_recipient(m, CHANNEL_REMOTE, (uint32_t)i, address);
  }
  CHECK(sched_add(&w->s, m, 0, now_of(w)));
  return m;
}

static struct host *find(struct world *w, const char *name) {
  for (size_t i = 0; i < w->hosts; ++i)
    if (!strcmp(w->host[i].name, name)) return &w->host[i];
  return &w->host[0];
}

/* A connection is made, and what will come of it. */
static void start(struct world *w, const struct batch *b) {
  struct delivery *d = &w->run[w->running++];
  struct host *h = find(w, b->bundle->d->name);
  int64_t s = w->ms / MS;

  *d = (struct delivery){.b = *b, .host = h, .end = w->ms + h->ms + h->ms_recipient * b->n, .feedback = FEEDBACK_ALIVE};
  h->connections++;
  w->batches++;
  w->recipients += b->n;
  if (++h->now > h->most) h->most = h->now;
  if (s >= h->down && s < h->up) d->feedback = FEEDBACK_UNREACHABLE;
  else if (h->at_once && h->now > h->at_once) d->feedback = FEEDBACK_SLOW, d->end = w->ms + 50;
  if (d->feedback != FEEDBACK_ALIVE) d->refused = 1, h->refused++;
  if (w->each) w->each(w, b, now_of(w));
}

static void end(struct world *w, size_t i) {
  struct delivery d = w->run[i];
  char done[500];

  w->run[i] = w->run[--w->running];
  d.host->now--;
  for (uint32_t r = 0; r < d.b.n; ++r)
    done[r] = (!d.refused && !(d.host->greylist_in && chance(w, d.host->greylist_in) == 0)) || sched_is_last(&d.b);
  w->log = hash_mix(w->log, hash_mix(d.b.m->id, (uint64_t)w->ms * 8 + d.feedback) + d.b.first + (uint64_t)done[0]);
  (void)sched_result(&w->s, &d.b, done, d.feedback, now_of(w));
  if (d.b.m->id == w->watch && done[0]) w->watched = w->ms;
  if (sched_finished(d.b.m)) {
    w->finished++;
    message_free(d.b.m);
  }
}

/* Until nothing is left to do, or that moment. */
static void run(struct world *w, int64_t until_ms) {
  for (;;) {
    struct batch b;
    size_t first = 0;
    int64_t due;

    while (w->running < 500 && sched_take(&w->s, CHANNEL_REMOTE, now_of(w), &b)) start(w, &b);
    CHECK(w->s.channel[CHANNEL_REMOTE].running == w->running && w->running <= w->s.channel[CHANNEL_REMOTE].limit);
    for (size_t i = 1; i < w->running; ++i)
      if (w->run[i].end < w->run[first].end) first = i;
    due = sched_next_due(&w->s);
    if (!w->running && due == INT64_MAX) break;
    due = due == INT64_MAX ? INT64_MAX : (due - BIRTH) * MS;
    if (w->running && w->run[first].end <= due) {
      if (w->run[first].end > until_ms) break;
      w->ms = w->run[first].end;
      end(w, first);
    } else {
      if (due > until_ms) break;
      CHECK(due > w->ms - MS); /* time goes on */
      w->ms = due > w->ms ? due : w->ms + 1;
    }
  }
  if (w->ms < until_ms && until_ms != TO_THE_END) w->ms = until_ms;
}

/* --- fairness --- */

/* However a sender's 100,000 recipients come, another's message to the same host is there in less
 * than five seconds. */
static void burst(size_t messages, size_t each, int one_at_a_time) {
  struct host hosts[] = {{.name = "big.example", .ms = 1500, .ms_recipient = 10}};
  struct world *w = calloc(1, sizeof *w);
  int64_t sent;

  init(w, 1, hosts, 1);
  if (one_at_a_time) w->s.host_max = 1;
  for (size_t i = 0; i < messages; ++i) send_many(w, i + 1, "burst@bulk.example", each, "big.example");
  run(w, 10 * MS);
  CHECK(w->finished < messages);
  sent = w->ms;
  w->watch = 1000000;
  send_many(w, w->watch, "joe@other.example", 1, "Big.Example");
  run(w, TO_THE_END);
  CHECK(w->watched > sent && w->watched - sent < 5 * MS);
  CHECK(w->finished == messages + 1);
  printf("burst of %zu messages to %zu: the other one after %lld ms, all after %lld s, %zu transactions\n", messages, each,
         (long long)(w->watched - sent), (long long)(w->ms / MS), w->batches);
  sched_free(&w->s);
  free(w);
}

/* A thousand hosts that do not answer for a minute each keep nobody from one that does. */
static void dead_hosts(void) {
  static struct host hosts[201];
  static char names[200][32];
  struct world *w = calloc(1, sizeof *w);
  int64_t sent;

  for (size_t i = 0; i < 200; ++i) {
    snprintf(names[i], sizeof names[i], "dead%zu.example", i);
    hosts[i] = (struct host){.name = names[i], .ms = 60000, .down = 0, .up = 100 * DAY};
  }
  hosts[200] = (struct host){.name = "live.example", .ms = 500};
  init(w, 1, hosts, 201);
  for (uint64_t i = 0; i < 2000; ++i) send_many(w, i + 1, "a@a", 1, names[i % 200]);
  run(w, DAY * MS); /* now they are all retries */
  sent = w->ms;
  w->watch = 1000000;
  send_many(w, w->watch, "b@b", 1, "live.example");
  run(w, (DAY + 100) * MS);
  CHECK(w->watched >= 0 && w->watched - sent < 5 * MS);
  run(w, TO_THE_END);
  CHECK(w->finished == 2001);
  CHECK(w->ms < 8 * DAY * MS);
  sched_free(&w->s);
  free(w);
}

/* --- destinations --- */

/* A host that takes four connections gets about four, and few more are refused. */
static void finds_the_limit(void) {
  struct host hosts[] = {{.name = "four.example", .ms = 1000, .at_once = 4}};
  struct world *w = calloc(1, sizeof *w);

  init(w, 1, hosts, 1);
  for (size_t i = 0; i < 2000; ++i) send_many(w, i + 1, "a@a", 1, "four.example");
  run(w, TO_THE_END);
  CHECK(w->finished == 2000 && hosts[0].most <= 6);
  CHECK(hosts[0].refused * 5 < hosts[0].connections);
  printf("limit 4: most %u, %zu of %zu refused, %lld s\n", hosts[0].most, hosts[0].refused, hosts[0].connections,
         (long long)(w->ms / MS));
  sched_free(&w->s);
  free(w);
}

/* A host with 5000 messages is down for six hours: it is asked now and then, not by each message,
 * and gets them all soon after it is back. */
static void outage(void) {
  struct host hosts[] = {{.name = "x.example", .ms = 1000, .down = 0, .up = 6 * 3600}};
  struct world *w = calloc(1, sizeof *w);
  size_t asked;

  init(w, 1, hosts, 1);
  for (size_t i = 0; i < 5000; ++i) send_many(w, i + 1, "a@a", 1, "x.example");
  run(w, 6 * 3600 * MS);
  asked = hosts[0].connections;
  CHECK(asked >= 10 && asked < 40);
  run(w, (6 * 3600 + DESTINATION_HOLD_MAX * 9 / 8 + 400) * MS);
  CHECK(w->finished >= 5000 - asked); /* those that were asked with wait for their own time */
  run(w, TO_THE_END);
  CHECK(w->finished == 5000 && w->ms < 8 * 3600 * MS);
  printf("outage of 6 h: asked %zu times, the last of 5000 delivered %lld s after it\n", asked,
         (long long)(w->ms / MS - 6 * 3600));
  sched_free(&w->s);
  free(w);
}

/* --- weeks --- */

static int64_t attempts[64];
static size_t attempts_n;

static void remember(struct world *w, const struct batch *b, int64_t now) {
  (void)w;
  (void)b;
  if (attempts_n < 64) attempts[attempts_n++] = now - BIRTH;
}

/* A message that a host answers for and defers each time: when it is tried, and that it ends. */
static size_t refused_for_a_week(const char *schedule) {
  struct host hosts[] = {{.name = "x.example", .greylist_in = 1}};
  struct world *w = calloc(1, sizeof *w);

  init(w, 1, hosts, 1);
  CHECK(retry_parse(&w->s.retry, schedule));
  w->each = remember;
  attempts_n = 0;
  send_many(w, 1, "a@a", 1, "x.example");
  run(w, TO_THE_END);
  CHECK(w->finished == 1 && w->ms > 7 * DAY * MS);
  sched_free(&w->s);
  free(w);
  return attempts_n;
}

static void schedules(void) {
  CHECK(refused_for_a_week("") == 40); /* 400 n^2 passes a week at n = 39 */
  for (size_t i = 0; i < attempts_n; ++i) CHECK(attempts[i] == 400 * (int64_t)(i * i));
  CHECK(refused_for_a_week("600 3600 86400") == 10);
  CHECK(attempts[1] == 600 && attempts[2] == 4200 && attempts[3] == 4200 + DAY && attempts[9] == 4200 + 7 * DAY);
}

/* Three weeks of mail to hosts of all kinds: everything ends within its lifetime, and the same
 * seed gives the same log. */
static uint64_t weeks(uint64_t seed) {
  struct host hosts[] = {
      {.name = "good.example", .ms = 300, .ms_recipient = 5},
      {.name = "slow.example", .ms = 20000, .ms_recipient = 100},
      {.name = "few.example", .ms = 1000, .at_once = 2},
      {.name = "grey.example", .ms = 500, .greylist_in = 3},
      {.name = "gone.example", .ms = 60000, .down = 0, .up = 1000 * DAY},
      {.name = "back.example", .ms = 1000, .down = 3 * DAY, .up = 12 * DAY},
  };
  static const char *const senders[] = {"", "a@a", "b@b", "list-@c-@[]"};
  struct world *w = calloc(1, sizeof *w);
  uint64_t log;
  uint64_t id = 0;

  init(w, seed, hosts, 6);
  for (int hour = 0; hour < 21 * 24; ++hour) {
    for (uint64_t n = chance(w, 12); n; --n)
      send_many(w, ++id, senders[chance(w, 4)], 1 + (size_t)chance(w, 8), hosts[chance(w, 6)].name);
    run(w, ((int64_t)hour + 1) * 3600 * MS);
  }
  run(w, TO_THE_END);
  CHECK(w->finished == id && id > 2000);
  CHECK(w->ms < (21 + 8) * DAY * MS);
  CHECK(hosts[4].connections < 10000);
  log = w->log;
  printf("seed %llu: %llu messages, %zu transactions, log %016llx\n", (unsigned long long)seed, (unsigned long long)id,
         w->batches, (unsigned long long)log);
  sched_free(&w->s);
  free(w);
  return log;
}

/* --- the clock --- */

/* The wall clock jumps to and fro all week, by a year or an hour: the attempts are those of a week
 * without, for the scheduler lives by its own clock. */
static void wall_clock_jumps(void) {
  struct host hosts[] = {{.name = "x.example", .greylist_in = 1}};
  static const int64_t jump[] = {365 * DAY, -365 * DAY, 3600, -3600, 0, -20 * 365 * DAY};
  struct world *w = calloc(1, sizeof *w);
  struct clock clock;
  int64_t wall = BIRTH;

  init(w, 1, hosts, 1);
  clock_start(&clock, wall, 0);
  w->each = remember;
  attempts_n = 0;
  send_many(w, 1, "a@a", 1, "x.example");
  for (int64_t hour = 1; hour < 9 * 24; ++hour) {
    deadline mono = hour * 3600 * NS_PER_S;
    struct message *m;

    run(w, hour * 3600 * MS);
    wall = BIRTH + hour * 3600 + jump[hour % 6];
    CHECK(clock_now(&clock, mono) == now_of(w));
    /* A message that came in a minute ago, by whatever the wall clock says now. */
    if (hour != 24) continue;
    m = send_many(w, 2, "b@b", 1, "x.example");
    CHECK(clock_past(&clock, wall - 60, wall, mono) == m->birth - 60);
  }
  run(w, TO_THE_END);
  CHECK(w->finished == 2 && attempts[0] == 0 && attempts[1] == 400 && attempts[2] == 1600);
  CHECK(w->ms >= 7 * DAY * MS);
  sched_free(&w->s);
  free(w);
}

/* Even with a clock that does jump, back or a year ahead, nothing is lost or tried in a frenzy. */
static void any_clock(void) {
  static const int64_t at[] = {0, -100000, 300, 365 * DAY, 365 * DAY + 1, 5, 366 * DAY};
  struct host hosts[] = {{.name = "x.example"}};
  struct world *w = calloc(1, sizeof *w);
  struct message *m;
  size_t attempts_made = 0;
  char deferred = 0;
  struct batch b;

  init(w, 1, hosts, 1);
  m = send_many(w, 1, "a@a", 1, "x.example");
  for (size_t i = 0; i < sizeof at / sizeof at[0]; ++i)
    while (sched_take(&w->s, CHANNEL_REMOTE, BIRTH + at[i], &b)) {
      CHECK(b.m == m && ++attempts_made < 6);
      (void)sched_result(&w->s, &b, &deferred, FEEDBACK_ALIVE, BIRTH + at[i]);
      CHECK(!sched_finished(m) && sched_next_due(&w->s) > BIRTH + at[i]);
    }
  CHECK(attempts_made >= 2 && m->bundle->standing == STAND_WAITING);
  sched_remove(&w->s, m, BIRTH);
  message_free(m);
  sched_free(&w->s);
  free(w);
}

int main(void) {
  uint64_t log = weeks(1);

  CHECK(weeks(1) == log);
  CHECK(weeks(2) != log);
  schedules();
  burst(1, 100000, 0);
  burst(100000, 1, 0);
  burst(1000, 100, 0);
  burst(100000, 1, 1);
  burst(1, 100000, 1);
  dead_hosts();
  finds_the_limit();
  outage();
  wall_clock_jumps();
  any_clock();
  return check_done();
}
