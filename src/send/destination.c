/* destination: see destination.h. */
#include "send/destination.h"

#include <stdlib.h>
#include <string.h>

/* --- which there are --- */

static uint64_t host_hash(const struct destinations *ds, enum channel channel, const char *host, size_t n) {
  return hash_bytes(ds->seed + channel, host, n);
}

static struct destination *find(const struct destinations *ds, enum channel channel, const char *host, uint64_t hash) {
  for (struct hash_link *l = hashtab_chain(&ds->hosts, hash); l; l = l->next) {
    struct destination *d = RING_OWNER(l, struct destination, link);

    if (l->hash == hash && d->channel == channel && !strcasecmp(d->name, host)) return d;
  }
  return 0;
}

struct destination *destination_find(const struct destinations *ds, enum channel channel, const char *host) {
  return find(ds, channel, host, host_hash(ds, channel, host, strlen(host)));
}

static void idle_join(struct destinations *ds, struct destination *d, int64_t now) {
  d->idle_since = now;
  ring_join(&ds->idle, &d->idle);
  ds->idle_n++;
}

static void idle_leave(struct destinations *ds, struct destination *d) {
  ring_leave(&ds->idle, &d->idle);
  ds->idle_n--;
}

static void forget(struct destinations *ds, struct destination *d) {
  idle_leave(ds, d);
  heap_remove(&ds->held[d->channel], &d->opens);
  hashtab_remove(&ds->hosts, &d->link);
  ds->all--;
  free(d);
}

/* At most two for each new one, so that nobody waits for it.  One that is held is kept. */
static void forget_some(struct destinations *ds, int64_t now) {
  for (int i = 0; i < 2 && ds->idle.head; ++i) {
    struct destination *d = RING_OWNER(ds->idle.head, struct destination, idle);
    int old = now - d->idle_since > DESTINATION_FORGET;

    if (!old && ds->idle_n <= DESTINATION_IDLE_MAX) return;
    if (d->opens.slot || d->held_by_order) {
      idle_leave(ds, d);
      idle_join(ds, d, now);
    } else {
      forget(ds, d);
    }
  }
}

struct destination *destination_get(struct destinations *ds, enum channel channel, const char *host, int64_t now) {
  size_t n = strlen(host);
  uint64_t hash = host_hash(ds, channel, host, n);
  struct destination *d = find(ds, channel, host, hash);

  if (d) return d;
  forget_some(ds, now);
  if (!heap_reserve(&ds->held[channel], ds->all + 1)) return 0;
  d = calloc(1, sizeof *d + n + 1);
  if (!d) return 0;
  if (!hashtab_add(&ds->hosts, &d->link, hash)) {
    free(d);
    return 0;
  }
  for (size_t i = 0; i < n; ++i) d->name[i] = host[i] >= 'A' && host[i] <= 'Z' ? (char)(host[i] + 32) : host[i];
  d->channel = (uint8_t)channel;
  d->limit = channel == CHANNEL_LOCAL ? UINT32_MAX : DESTINATION_START * DESTINATION_ONE;
  ds->all++;
  idle_join(ds, d, now);
  return d;
}

void destination_use(struct destinations *ds, struct destination *d) {
  if (!d->bundles++) idle_leave(ds, d);
}

void destination_release(struct destinations *ds, struct destination *d, int64_t now) {
  if (!--d->bundles) idle_join(ds, d, now);
}

/* --- who waits --- */

static uint64_t line_hash(const struct destinations *ds, const struct bundle *b, enum kind kind) {
  const char *sender = message_sender(b->m);

  return hash_mix(hash_bytes(ds->seed + kind, sender, strlen(sender)), b->d->link.hash);
}

/* Lines are told apart by their 64-bit hash: senders who share one share a turn. */
static struct line *find_line(const struct destinations *ds, const struct destination *d, enum kind kind, uint64_t hash) {
  for (struct hash_link *l = hashtab_chain(&ds->lines, hash); l; l = l->next) {
    struct line *line = RING_OWNER(l, struct line, link);

    if (l->hash == hash && line->d == d && line->kind == kind) return line;
  }
  return 0;
}

int line_join(struct destinations *ds, struct bundle *b, enum kind kind) {
  uint64_t hash = line_hash(ds, b, kind);
  struct line *line = find_line(ds, b->d, kind, hash);

  if (!line) {
    line = calloc(1, sizeof *line);
    if (!line) return 0;
    if (!hashtab_add(&ds->lines, &line->link, hash)) {
      free(line);
      return 0;
    }
    line->d = b->d;
    line->kind = kind;
    ring_join(&b->d->line[kind], &line->turn);
  }
  ring_join(&line->bundle, &b->turn);
  b->line = line;
  return 1;
}

void line_leave(struct destinations *ds, struct bundle *b) {
  struct line *line = b->line;

  ring_leave(&line->bundle, &b->turn);
  b->line = 0;
  if (line->bundle.head) return;
  ring_leave(&line->d->line[line->kind], &line->turn);
  hashtab_remove(&ds->lines, &line->link);
  free(line);
}

/* --- what was learned --- */

static uint32_t at_most(uint32_t n, uint32_t max) {
  return max && n > max ? max : n;
}

uint32_t destination_limit(const struct destination *d, enum kind kind, uint32_t max) {
  uint32_t n = d->limit / DESTINATION_ONE;

  if (d->channel == CHANNEL_LOCAL) return UINT32_MAX;
  if (kind == KIND_LAST && n < DESTINATION_START) n = DESTINATION_START;
  return at_most(n, max);
}

int destination_open(const struct destination *d, enum kind kind, uint32_t max) {
  if (d->held_by_order) return 0;
  if (d->opens.slot && (kind != KIND_LAST || d->held_for_all)) return 0;
  return d->running < destination_limit(d, kind, max);
}

void destination_start(struct destination *d) {
  if (++d->running >= d->limit / DESTINATION_ONE) d->used_up = 1;
}

void destination_end(struct destination *d) {
  if (--d->running < d->limit / DESTINATION_ONE / 2) d->used_up = 0;
}

void destination_hold(struct destinations *ds, struct destination *d, int64_t until, int for_all) {
  if (for_all) d->held_for_all = 1;
  if (!d->opens.slot || d->opens.time < until) heap_set(&ds->held[d->channel], &d->opens, until);
}

void destination_unhold(struct destinations *ds, struct destination *d) {
  heap_remove(&ds->held[d->channel], &d->opens);
  d->held_for_all = 0;
}

/* An eighth more or less, so that the queues of one host do not all knock at once. */
static int64_t spread(struct destinations *ds, int64_t seconds) {
  ds->random = hash_mix(ds->random + 1, ds->seed);
  return seconds - seconds / 8 + (int64_t)(ds->random % (uint64_t)(seconds / 4 + 1));
}

static int64_t unreachable(struct destinations *ds, struct destination *d, int64_t now) {
  int64_t seconds = DESTINATION_HOLD_MIN;

  if (d->failures < UINT8_MAX) d->failures++;
  for (int i = 1; i < d->failures && seconds < DESTINATION_HOLD_MAX; ++i) seconds *= 2;
  if (seconds > DESTINATION_HOLD_MAX) seconds = DESTINATION_HOLD_MAX;
  seconds = spread(ds, seconds);
  destination_hold(ds, d, now + seconds, 0);
  return seconds;
}

static void answered(struct destinations *ds, struct destination *d) {
  d->failures = 0;
  if (!d->held_for_all) destination_unhold(ds, d);
}

static void grow(struct destination *d, uint32_t max) {
  uint32_t top = (max ? max : UINT16_MAX) * DESTINATION_ONE;

  if (!d->used_up) return; /* the limit was not what held mail up */
  d->limit += DESTINATION_ONE * DESTINATION_ONE / d->limit;
  if (d->limit > top) d->limit = top;
}

static void halve(struct destination *d) {
  d->epoch++;
  d->limit /= 2;
  if (d->limit < DESTINATION_ONE) d->limit = DESTINATION_ONE;
}

int64_t destination_learn(struct destinations *ds, struct destination *d, uint16_t epoch, enum feedback feedback,
                          uint32_t max, int64_t now) {
  int current = epoch == d->epoch;

  if (d->channel == CHANNEL_LOCAL) return 0;
  switch (feedback) {
    case FEEDBACK_NOTHING: return 0;
    case FEEDBACK_ALIVE:
      answered(ds, d);
      grow(d, max);
      return 0;
    case FEEDBACK_SLOW:
      answered(ds, d);
      if (current) halve(d);
      return 0;
    case FEEDBACK_UNREACHABLE:
      if (!current) return 0;
      halve(d);
      return unreachable(ds, d, now);
  }
  return 0;
}

void destinations_free(struct destinations *ds) {
  while (ds->idle.head) forget(ds, RING_OWNER(ds->idle.head, struct destination, idle));
  hashtab_free(&ds->hosts);
  hashtab_free(&ds->lines);
  for (int ch = 0; ch < CHANNELS; ++ch) heap_free(&ds->held[ch]);
}
