/* sched: see sched.h. */
#include "send/sched.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_BYTES 200000U   /* of addresses in one batch: they travel in an argument list */
#define MEMORY_PAUSE 60       /* seconds until a bundle for whose line there was no memory */

/* --- the policy --- */

static int is_patient(enum kind kind) {
  return kind >= KIND_BULK;
}

/* How many of a channel's deliveries may be of kinds that leave room. */
static size_t patient_max(const struct sched_channel *c) {
  return c->limit < 2 ? c->limit : c->limit - (c->limit + 3) / 4;
}

static int64_t lifetime_of(const struct sched *s, const struct message *m) {
  return *message_sender(m) ? s->lifetime : s->bounce_lifetime;
}

static int64_t too_old_at(const struct sched *s, const struct message *m) {
  int64_t at;

  if (__builtin_add_overflow(m->birth, lifetime_of(s, m), &at) || at == INT64_MAX) at = INT64_MAX;
  else ++at;
  return m->by_return && m->by < at ? m->by : at;
}

/* A time that suits the message, at or after the one that suits us. */
static int64_t when_allowed(const struct message *m, int64_t due) {
  return due < m->not_before && !m->expired ? m->not_before : due;
}

/* When it is tried after an attempt: also at the time by which it should have been delivered. */
static int64_t next_try(const struct sched *s, const struct bundle *b, int64_t now) {
  int64_t by = b->m->by;
  int64_t due = retry_next(&s->retry, b->m->birth, now, (enum channel)b->d->channel);

  if (by && due > by && (by > now || b->m->by_return)) due = by > now ? by : now;
  return when_allowed(b->m, due);
}

static enum kind kind_of(const struct sched *s, const struct bundle *b, int64_t now) {
  if (b->m->expired) return KIND_LAST;
  if (now >= too_old_at(s, b->m)) return KIND_LAST;
  if (b->tried) return KIND_RETRY;
  return b->m->priority > 0 ? KIND_URGENT : b->m->priority < 0 ? KIND_BULK : KIND_FRESH;
}

/* The kind whose turn it is, of those that have something to start; KINDS if none has. */
static enum kind next_kind(const struct sched_channel *c) {
  const int urgent = c->ready[KIND_URGENT].head != 0;

  if (urgent && !c->was_urgent) return KIND_URGENT;
  for (unsigned i = 1; i <= KINDS; ++i) {
    enum kind kind = (enum kind)((c->turn + i) % KINDS);

    if (kind == KIND_URGENT || !c->ready[kind].head) continue;
    if (!is_patient(kind) || c->patient < patient_max(c)) return kind;
  }
  return urgent ? KIND_URGENT : KINDS;
}

static void turn_over(struct sched_channel *c, enum kind kind) {
  c->was_urgent = kind == KIND_URGENT;
  if (!c->was_urgent) c->turn = kind;
}

/* How many of the recipients not started yet go in one transaction. */
static uint32_t batch_size(const struct sched *s, const struct bundle *b) {
  uint32_t left = b->first + b->n - b->next;
  uint32_t max = b->d->channel == CHANNEL_LOCAL || b->m->verp || !s->batch_max ? 1 : s->batch_max;
  size_t bytes = 0;
  uint32_t n = 0;

  while (n < left && n < max && (!n || bytes < BATCH_BYTES))
    bytes += strlen(message_address(b->m, &b->m->recipient[b->next + n++]));
  return n;
}

/* --- who may start --- */

static struct destination *of_ready(struct ring *r, enum kind kind) {
  return (struct destination *)(void *)((char *)(r - kind) - offsetof(struct destination, ready));
}

/* Puts the destination into the rings of the kinds it may start, and out of the others. */
static void settle(struct sched *s, struct destination *d) {
  struct sched_channel *c = &s->channel[d->channel];

  for (int kind = 0; kind < KINDS; ++kind) {
    int may = d->line[kind].head && destination_open(d, (enum kind)kind, s->host_max);
    int is = d->ready[kind].next != 0;

    if (may && !is) ring_join(&c->ready[kind], &d->ready[kind]);
    if (!may && is) ring_leave(&c->ready[kind], &d->ready[kind]);
  }
}

/* --- the life of a bundle --- */

/* Its time has come.  Recipients before b->next were started in this pass already. */
static void activate(struct sched *s, struct bundle *b, int64_t now) {
  struct sched_channel *c = &s->channel[b->d->channel];
  enum kind kind = kind_of(s, b, now);

  if (!line_join(&s->destinations, b, kind)) {
    b->standing = b->running ? STAND_DRAINING : STAND_WAITING;
    heap_remove(&c->due, &b->timer);
    if (!b->running) heap_set(&c->due, &b->timer, now + MEMORY_PAUSE);
    return;
  }
  b->standing = STAND_ACTIVE;
  if (kind == KIND_LAST) heap_remove(&c->due, &b->timer);
  else heap_set(&c->due, &b->timer, too_old_at(s, b->m));
  settle(s, b->d);
}

static void wait_until(struct sched *s, struct bundle *b, int64_t due) {
  b->standing = b->m->held ? STAND_HELD : STAND_WAITING;
  b->next = b->first;
  if (!b->m->held) heap_set(&s->channel[b->d->channel].due, &b->timer, due);
}

/* Everybody was tried: who is done leaves the bundle, the others wait. */
static void end_pass(struct sched *s, struct bundle *b, int64_t now) {
  struct recipient *r = b->m->recipient + b->first;
  uint32_t kept = 0;

  for (uint32_t i = 0; i < b->n; ++i)
    if (!r[i].done) {
      struct recipient deferred = r[i];

      r[i] = r[kept];
      r[kept++] = deferred;
    }
  b->n = kept;
  b->tried = (uint8_t)(b->tried + (b->tried < UINT8_MAX));
  if (kept) {
    wait_until(s, b, next_try(s, b, now));
  } else {
    b->standing = STAND_NONE;
    s->channel[b->d->channel].bundles--;
    destination_release(&s->destinations, b->d, now);
  }
}

/* Timers that have run out: held destinations open, waiting bundles become active, active
 * ones that are too old by now change to those who try for the last time. */
static void wake(struct sched *s, enum channel channel, int64_t now) {
  struct heap *due = &s->channel[channel].due;
  struct heap_entry *e;

  while ((e = heap_first(&s->destinations.held[channel])) != 0 && e->time <= now) {
    struct destination *d = RING_OWNER(e, struct destination, opens);

    destination_unhold(&s->destinations, d);
    settle(s, d);
  }
  while ((e = heap_first(due)) != 0 && e->time <= now) {
    struct bundle *b = RING_OWNER(e, struct bundle, timer);

    if (b->standing == STAND_ACTIVE) line_leave(&s->destinations, b);
    activate(s, b, now);
  }
}

/* --- taking in --- */

void sched_init(struct sched *s, uint64_t seed) {
  memset(s, 0, sizeof *s);
  s->destinations.seed = seed;
  s->batch_max = 1;
}

/* Finds the destination of each recipient, and counts those that are different. */
static int find_destinations(struct sched *s, struct message *m, struct destination **of, int64_t now) {
  for (uint32_t i = 0; i < m->recipients; ++i) {
    struct recipient *r = &m->recipient[i];

    of[i] = destination_get(&s->destinations, (enum channel)r->channel, message_host(message_address(m, r)), now);
    if (!of[i]) return 0;
    destination_use(&s->destinations, of[i]); /* so that nobody forgets it meanwhile */
  }
  return 1;
}

struct place {
  struct destination *d;
  uint32_t i;
};

static int by_destination(const void *x, const void *y) {
  const struct place *a = x;
  const struct place *b = y;

  if (a->d != b->d) {
    if (a->d->channel != b->d->channel) return a->d->channel < b->d->channel ? -1 : 1;
    return strcmp(a->d->name, b->d->name);
  }
  return a->i < b->i ? -1 : a->i > b->i;
}

/* Puts recipients of one destination beside each other. */
static int sort_recipients(struct message *m, struct destination **of) {
  struct place *p = malloc(m->recipients * sizeof *p);
  struct recipient *was = malloc(m->recipients * sizeof *was);

  if (p && was) {
    memcpy(was, m->recipient, m->recipients * sizeof *was);
    for (uint32_t i = 0; i < m->recipients; ++i) p[i] = (struct place){of[i], i};
    qsort(p, m->recipients, sizeof *p, by_destination);
    for (uint32_t i = 0; i < m->recipients; ++i) {
      m->recipient[i] = was[p[i].i];
      of[i] = p[i].d;
    }
  }
  free(p);
  free(was);
  return p && was;
}

static int make_bundles(struct sched *s, struct message *m, struct destination **of) {
  size_t more[CHANNELS] = {0};
  struct bundle *b = 0;

  for (uint32_t i = 0; i < m->recipients; ++i)
    if (!i || of[i] != of[i - 1]) more[of[i]->channel]++;
  for (int ch = 0; ch < CHANNELS; ++ch)
    if (!heap_reserve(&s->channel[ch].due, s->channel[ch].bundles + more[ch])) return 0;
  m->bundle = calloc(more[CHANNEL_LOCAL] + more[CHANNEL_REMOTE], sizeof *m->bundle);
  if (!m->bundle) return 0;
  for (uint32_t i = 0; i < m->recipients; ++i) {
    if (!i || of[i] != of[i - 1]) {
      b = &m->bundle[m->bundles++];
      *b = (struct bundle){.m = m, .d = of[i], .first = i, .next = i};
      s->channel[of[i]->channel].bundles++;
      destination_use(&s->destinations, of[i]);
    }
    b->n++;
  }
  return 1;
}

int sched_add(struct sched *s, struct message *m, int64_t tried, int64_t now) {
  struct destination *one = 0;
  struct destination **of = m->recipients > 1 ? calloc(m->recipients, sizeof *of) : &one;
  int ok = of && find_destinations(s, m, of, now) && (m->recipients < 2 || sort_recipients(m, of)) &&
           (!m->recipients || make_bundles(s, m, of));

  for (uint32_t i = 0; of && i < m->recipients && of[i]; ++i) destination_release(&s->destinations, of[i], now);
  if (of != &one) free(of);
  for (uint32_t i = 0; ok && i < m->bundles; ++i) {
    struct bundle *b = &m->bundle[i];
    int64_t due = tried && !m->expired ? next_try(s, b, tried) : when_allowed(m, now);

    b->tried = tried != 0;
    if (due <= now && !m->held) activate(s, b, now);
    else wait_until(s, b, due);
  }
  return ok;
}

/* --- handing out --- */

/* Whoever's turn it is, of those whose rate is not used up: 1, or 0 when nobody is left. */
static int choose(struct sched *s, struct sched_channel *c, int64_t now, struct batch *batch) {
  enum kind kind;

  while ((kind = next_kind(c)) != KINDS) {
    struct destination *d = of_ready(ring_serve(&c->ready[kind]), kind);
    struct line *line = RING_OWNER(ring_serve(&d->line[kind]), struct line, turn);
    struct bundle *b = RING_OWNER(ring_serve(&line->bundle), struct bundle, turn);
    uint32_t n = batch_size(s, b);
    int64_t wait = s->rate ? s->rate(s->rate_ctx, d->name, n) : 0;

    if (wait <= 0) {
      *batch = (struct batch){b->m, b, b->next, n, d->epoch, (uint8_t)kind};
      return 1;
    }
    destination_hold(&s->destinations, d, now + wait, 1);
    settle(s, d);
  }
  return 0;
}

int sched_take(struct sched *s, enum channel channel, int64_t now, struct batch *batch) {
  struct sched_channel *c = &s->channel[channel];
  struct destination *d;
  struct bundle *b;
  enum kind kind;

  if (c->held || c->running >= c->limit) return 0;
  wake(s, channel, now);
  if (!choose(s, c, now, batch)) return 0;
  b = batch->bundle;
  d = b->d;
  kind = (enum kind)batch->kind;
  turn_over(c, kind);
  c->running++;
  c->patient += (size_t)is_patient(kind);
  destination_start(d);
  b->running += batch->n;
  b->next += batch->n;
  if (b->next == b->first + b->n) {
    line_leave(&s->destinations, b);
    heap_remove(&c->due, &b->timer);
    b->standing = STAND_DRAINING;
  }
  settle(s, d);
  return 1;
}

int64_t sched_result(struct sched *s, const struct batch *batch, const char *done, enum feedback feedback, int64_t now) {
  struct bundle *b = batch->bundle;
  struct destination *d = b->d;
  struct sched_channel *c = &s->channel[d->channel];
  int64_t held = destination_learn(&s->destinations, d, batch->epoch, feedback, s->host_max, now);

  for (uint32_t i = 0; i < batch->n; ++i)
    if (done[i]) {
      batch->m->recipient[batch->first + i].done = 1;
      batch->m->left--;
    }
  c->running--;
  c->patient -= (size_t)is_patient((enum kind)batch->kind);
  destination_end(d);
  b->running -= batch->n;
  if (!b->running && b->standing == STAND_DRAINING) end_pass(s, b, now);
  settle(s, d);
  return held;
}

int sched_finished(const struct message *m) {
  return !m->left;
}

int sched_is_last(const struct batch *b) {
  return b->kind == KIND_LAST;
}

/* A channel that is full or held waits for a result or an order, not for the clock. */
int64_t sched_next_due(const struct sched *s) {
  int64_t due = INT64_MAX;

  for (int ch = 0; ch < CHANNELS; ++ch) {
    const struct sched_channel *c = &s->channel[ch];
    const struct heap_entry *first = heap_first(&c->due);
    const struct heap_entry *held = heap_first(&s->destinations.held[ch]);

    if (c->held || c->running >= c->limit) continue;
    if (first && first->time < due) due = first->time;
    if (held && held->time < due) due = held->time;
  }
  return due;
}

/* --- from outside --- */

void sched_all_due(struct sched *s, int64_t now) {
  for (int ch = 0; ch < CHANNELS; ++ch) {
    struct heap *due = &s->channel[ch].due;
    struct heap *held = &s->destinations.held[ch];

    for (size_t i = 0; i < due->n; ++i)
      if (RING_OWNER(due->at[i], struct bundle, timer)->standing == STAND_WAITING)
        due->at[i]->time = when_allowed(RING_OWNER(due->at[i], struct bundle, timer)->m, now);
    for (size_t i = 0; i < held->n; ++i)
      if (!RING_OWNER(held->at[i], struct destination, opens)->held_for_all) held->at[i]->time = now;
    heap_rebuild(due);
    heap_rebuild(held);
  }
}

int sched_destination_hold(struct sched *s, enum channel channel, const char *host, int64_t until, int64_t now) {
  struct destination *d = destination_get(&s->destinations, channel, host, now);

  if (!d) return 0;
  destination_hold(&s->destinations, d, until, 1);
  settle(s, d);
  return 1;
}

/* --- orders --- */

static void retry_bundle(struct sched *s, struct bundle *b, int64_t now) {
  struct destination *d = b->d;

  if (b->standing == STAND_WAITING) heap_set(&s->channel[d->channel].due, &b->timer, when_allowed(b->m, now));
  if (d->opens.slot && !d->held_for_all) heap_set(&s->destinations.held[d->channel], &d->opens, now);
}

/* It goes on where it was: those of its recipients that were started in this pass before are
 * not started again. */
static void release_bundle(struct sched *s, struct bundle *b, int64_t now) {
  if (b->standing != STAND_HELD) return;
  if (when_allowed(b->m, now) <= now) activate(s, b, now);
  else wait_until(s, b, b->m->not_before);
}

static void hold_bundle(struct sched *s, struct bundle *b) {
  if (b->standing != STAND_ACTIVE && b->standing != STAND_WAITING) return;
  if (b->standing == STAND_ACTIVE) line_leave(&s->destinations, b);
  heap_remove(&s->channel[b->d->channel].due, &b->timer);
  b->standing = STAND_HELD;
  settle(s, b->d);
}

void sched_hold(struct sched *s, struct message *m, uint8_t held, int64_t now) {
  m->held = held;
  for (uint32_t i = 0; i < m->bundles; ++i)
    if (held) hold_bundle(s, &m->bundle[i]);
    else release_bundle(s, &m->bundle[i], now);
}

void sched_retry(struct sched *s, struct message *m, int64_t now) {
  for (uint32_t i = 0; i < m->bundles; ++i) retry_bundle(s, &m->bundle[i], now);
}

size_t sched_retry_destination(struct sched *s, enum channel channel, const char *host, int64_t now) {
  struct heap *due = &s->channel[channel].due;
  struct destination *d = destination_find(&s->destinations, channel, host);
  size_t n = 0;

  if (!d) return 0;
  for (size_t i = 0; i < due->n; ++i) {
    struct bundle *b = RING_OWNER(due->at[i], struct bundle, timer);

    if (b->d != d || b->standing != STAND_WAITING) continue;
    due->at[i]->time = when_allowed(b->m, now);
    ++n;
  }
  heap_rebuild(due);
  if (d->opens.slot && !d->held_for_all) heap_set(&s->destinations.held[channel], &d->opens, now);
  return n;
}

void sched_expire(struct sched *s, struct message *m, int64_t now) {
  m->expired = 1;
  for (uint32_t i = 0; i < m->bundles; ++i) {
    struct bundle *b = &m->bundle[i];

    if (b->standing == STAND_WAITING || b->standing == STAND_ACTIVE)
      heap_set(&s->channel[b->d->channel].due, &b->timer, now); /* changes its kind when it runs out */
  }
}

int sched_order_destination(struct sched *s, enum channel channel, const char *host, int held, int64_t now) {
  struct destination *d =
      held ? destination_get(&s->destinations, channel, host, now) : destination_find(&s->destinations, channel, host);

  if (!d) return !held;
  d->held_by_order = held != 0;
  settle(s, d);
  return 1;
}

uint32_t sched_running(const struct message *m) {
  uint32_t n = 0;

  for (uint32_t i = 0; i < m->bundles; ++i) n += m->bundle[i].running;
  return n;
}

void sched_survey_begin(struct sched *s) {
  for (size_t i = 0; i < s->destinations.hosts.a; ++i)
    for (struct hash_link *l = s->destinations.hosts.bucket[i]; l; l = l->next) {
      struct destination *d = RING_OWNER(l, struct destination, link);

      d->survey.oldest = d->survey.next = INT64_MAX;
      d->survey.recipients = 0;
    }
}

void sched_survey(const struct message *m) {
  for (uint32_t i = 0; i < m->bundles; ++i) {
    const struct bundle *b = &m->bundle[i];
    struct destination *d = b->d;

    if (b->standing == STAND_NONE) continue;
    if (m->birth < d->survey.oldest) d->survey.oldest = m->birth;
    if (b->standing == STAND_WAITING && b->timer.time < d->survey.next) d->survey.next = b->timer.time;
    if (b->standing == STAND_ACTIVE) d->survey.next = INT64_MIN;
    d->survey.recipients += b->n;
  }
}

void sched_set_lifetimes(struct sched *s, int64_t lifetime, int64_t bounce_lifetime) {
  s->lifetime = lifetime;
  s->bounce_lifetime = bounce_lifetime < lifetime ? bounce_lifetime : lifetime;
  for (int ch = 0; ch < CHANNELS; ++ch) {
    struct heap *due = &s->channel[ch].due;

    for (size_t i = 0; i < due->n; ++i) {
      struct bundle *b = RING_OWNER(due->at[i], struct bundle, timer);

      if (b->standing == STAND_ACTIVE) b->timer.time = too_old_at(s, b->m);
    }
    heap_rebuild(due);
  }
}

void sched_limits_changed(struct sched *s) {
  for (size_t i = 0; i < s->destinations.hosts.a; ++i)
    for (struct hash_link *l = s->destinations.hosts.bucket[i]; l; l = l->next)
      settle(s, RING_OWNER(l, struct destination, link));
}

void sched_remove(struct sched *s, struct message *m, int64_t now) {
  for (uint32_t i = 0; i < m->bundles; ++i) {
    struct bundle *b = &m->bundle[i];

    if (b->standing == STAND_NONE) continue;
    if (b->standing == STAND_ACTIVE) line_leave(&s->destinations, b);
    heap_remove(&s->channel[b->d->channel].due, &b->timer);
    s->channel[b->d->channel].bundles--;
    b->standing = STAND_NONE;
    settle(s, b->d);
    destination_release(&s->destinations, b->d, now);
  }
}

void sched_free(struct sched *s) {
  for (int ch = 0; ch < CHANNELS; ++ch) heap_free(&s->channel[ch].due);
  destinations_free(&s->destinations);
}
