/* sched: see sched.h. */
#include "send/sched.h"

#include <stdlib.h>

static const int64_t skip[CHANNELS] = {[CHANNEL_LOCAL] = 10, [CHANNEL_REMOTE] = 20};

/* Whole part of the square root, by Newton's method on integers. */
static int64_t square_root(int64_t x) {
  int64_t r = x;
  int64_t next = (x + 1) / 2;

  while (next < r) {
    r = next;
    next = (r + x / r) / 2;
  }
  return r;
}

int64_t sched_retry(int64_t birth, int64_t now, enum channel channel) {
  int64_t n = now > birth ? square_root(now - birth) : 0;

  n += skip[channel];
  return (now < birth ? now : birth) + n * n; /* born in the future: the clock was set back */
}

/* --- the heap of waiting messages --- */

static void place(struct sched_channel *c, enum channel ch, size_t i, struct message *m) {
  c->heap[i] = m;
  m->channel[ch].slot = i + 1;
}

static void sift(struct sched_channel *c, enum channel ch, size_t i) {
  struct message *m = c->heap[i];
  int64_t due = m->channel[ch].due;

  while (i && c->heap[(i - 1) / 2]->channel[ch].due > due) {
    place(c, ch, i, c->heap[(i - 1) / 2]);
    i = (i - 1) / 2;
  }
  for (;;) {
    size_t child = 2 * i + 1;

    if (child >= c->heaped) break;
    if (child + 1 < c->heaped && c->heap[child + 1]->channel[ch].due < c->heap[child]->channel[ch].due)
      ++child;
    if (c->heap[child]->channel[ch].due >= due) break;
    place(c, ch, i, c->heap[child]);
    i = child;
  }
  place(c, ch, i, m);
}

static int heap_insert(struct sched_channel *c, enum channel ch, struct message *m, int64_t due) {
  if (c->heaped == c->heap_a) {
    size_t a = c->heap_a ? c->heap_a * 2 : 64;
    struct message **heap = reallocarray(c->heap, a, sizeof *heap);

    if (!heap) return 0;
    c->heap = heap;
    c->heap_a = a;
  }
  m->channel[ch].due = due;
  m->channel[ch].standing = STAND_WAITING;
  c->heap[c->heaped] = m;
  sift(c, ch, c->heaped++);
  return 1;
}

static void heap_remove(struct sched_channel *c, enum channel ch, struct message *m) {
  size_t i = m->channel[ch].slot - 1;
  struct message *last = c->heap[--c->heaped];

  m->channel[ch].slot = 0;
  if (last == m) return;
  c->heap[i] = last;
  last->channel[ch].slot = i + 1;
  sift(c, ch, i);
}

/* --- the ring of active messages --- */

static void ring_insert(struct sched_channel *c, enum channel ch, struct message *m) {
  struct message_channel *mc = &m->channel[ch];

  mc->standing = STAND_ACTIVE;
  mc->next = 0;
  if (!c->ring) {
    c->ring = mc->ring_next = mc->ring_prev = m;
    return;
  }
  mc->ring_next = c->ring; /* before the head: at the end of the turn */
  mc->ring_prev = c->ring->channel[ch].ring_prev;
  mc->ring_prev->channel[ch].ring_next = m;
  c->ring->channel[ch].ring_prev = m;
}

static void ring_remove(struct sched_channel *c, enum channel ch, struct message *m) {
  struct message_channel *mc = &m->channel[ch];

  if (mc->ring_next == m) {
    c->ring = 0;
  } else {
    mc->ring_next->channel[ch].ring_prev = mc->ring_prev;
    mc->ring_prev->channel[ch].ring_next = mc->ring_next;
    if (c->ring == m) c->ring = mc->ring_next;
  }
  mc->ring_next = mc->ring_prev = 0;
}

static int64_t lifetime_of(const struct sched *s, const struct message *m) {
  return m->sender.len ? s->lifetime : s->bounce_lifetime;
}

static void activate(struct sched *s, enum channel ch, struct message *m, int64_t now) {
  m->channel[ch].last_pass = now - (int64_t)m->birth > lifetime_of(s, m);
  ring_insert(&s->channel[ch], ch, m);
}

int sched_add(struct sched *s, struct message *m, int64_t now) {
  for (size_t i = 0; i < m->recipients; ++i)
    if (m->recipient[i].state != RECIPIENT_DONE) m->channel[m->recipient[i].channel].waiting++;
  for (int ch = 0; ch < CHANNELS; ++ch) {
    int64_t due = m->tried ? sched_retry((int64_t)m->birth, m->tried, (enum channel)ch) : now;

    if (!m->channel[ch].waiting) continue;
    if (due <= now) activate(s, (enum channel)ch, m, now);
    else if (!heap_insert(&s->channel[ch], (enum channel)ch, m, due)) return 0;
  }
  return 1;
}

static void wake_due(struct sched *s, enum channel ch, int64_t now) {
  struct sched_channel *c = &s->channel[ch];

  while (c->heaped && c->heap[0]->channel[ch].due <= now) {
    struct message *m = c->heap[0];

    heap_remove(c, ch, m);
    activate(s, ch, m, now);
  }
}

/* The next recipient of this message that was not started in this pass. */
static struct recipient *next_recipient(struct message *m, enum channel ch) {
  struct message_channel *mc = &m->channel[ch];

  while (mc->next < m->recipients) {
    struct recipient *r = &m->recipient[mc->next];

    if (r->channel == ch && r->state == RECIPIENT_WAITING) return r;
    mc->next++;
  }
  return 0;
}

int sched_take(struct sched *s, enum channel ch, int64_t now, struct message **m,
               struct recipient **r) {
  struct sched_channel *c = &s->channel[ch];
  struct message_channel *mc;

  if (c->held || c->running >= c->limit) return 0;
  wake_due(s, ch, now);
  if (!c->ring) return 0;
  *m = c->ring;
  *r = next_recipient(*m, ch); /* never null: an exhausted message leaves the ring */
  mc = &(*m)->channel[ch];
  (*r)->state = RECIPIENT_RUNNING;
  mc->next++;
  mc->running++;
  c->running++;
  c->ring = mc->ring_next;
  if (!next_recipient(*m, ch)) {
    ring_remove(c, ch, *m);
    mc->standing = STAND_DRAINING;
  }
  return 1;
}

int sched_result(struct sched *s, struct message *m, struct recipient *r, int done, int64_t now) {
  enum channel ch = (enum channel)r->channel;
  struct message_channel *mc = &m->channel[ch];

  r->state = done ? RECIPIENT_DONE : RECIPIENT_WAITING;
  s->channel[ch].running--;
  mc->running--;
  if (done) mc->waiting--;
  if (mc->running || mc->standing != STAND_DRAINING) return 1;
  mc->standing = STAND_NONE;
  if (!mc->waiting) return 1;
  return heap_insert(&s->channel[ch], ch, m, sched_retry((int64_t)m->birth, now, ch));
}

int sched_finished(const struct message *m) {
  for (int ch = 0; ch < CHANNELS; ++ch)
    if (m->channel[ch].waiting || m->channel[ch].running) return 0;
  return 1;
}

int sched_is_last(const struct message *m, enum channel channel) {
  return m->channel[channel].last_pass;
}

int64_t sched_next_due(const struct sched *s) {
  int64_t due = INT64_MAX;

  for (int ch = 0; ch < CHANNELS; ++ch) {
    const struct sched_channel *c = &s->channel[ch];

    if (!c->held && c->heaped && c->heap[0]->channel[ch].due < due) due = c->heap[0]->channel[ch].due;
  }
  return due;
}

void sched_all_due(struct sched *s, int64_t now) {
  for (int ch = 0; ch < CHANNELS; ++ch) {
    struct sched_channel *c = &s->channel[ch];

    for (size_t i = 0; i < c->heaped; ++i) c->heap[i]->channel[ch].due = now; /* still a heap */
  }
}

void sched_remove(struct sched *s, struct message *m) {
  for (int ch = 0; ch < CHANNELS; ++ch) {
    if (m->channel[ch].standing == STAND_WAITING) heap_remove(&s->channel[ch], (enum channel)ch, m);
    if (m->channel[ch].standing == STAND_ACTIVE) ring_remove(&s->channel[ch], (enum channel)ch, m);
    m->channel[ch].standing = STAND_NONE;
  }
}

void sched_free(struct sched *s) {
  for (int ch = 0; ch < CHANNELS; ++ch) free(s->channel[ch].heap);
}
