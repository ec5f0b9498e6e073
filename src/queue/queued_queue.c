/* queued_queue: see queued_queue.h. */
#include "queue/queued_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fmt.h"
#include "queue/exitcodes.h"
#include "queue/transition.h"

#define AGAIN_SECONDS 60
#define LOOK_SECONDS 1
#define KEEP_BYTES (1u << 20) /* more is given back between batches */

static struct queued_queue *find(const struct queued_queues *all, const stralloc *dir) {
  for (struct queued_queue *q = all->first; q; q = q->next)
    if (q->dir.len == dir->len && !memcmp(q->dir.s, dir->s, dir->len)) return q;
  return 0;
}

static struct queued_queue *add(struct queued_queues *all, const stralloc *dir) {
  struct queued_queue *q = calloc(1, sizeof *q);

  if (!q) return 0;
  q->trigger = -1;
  q->fd = open(dir->s, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (q->fd == -1 || !stralloc_copy(&q->dir, dir)) {
    fd_close(q->fd);
    free(q);
    return 0;
  }
  q->next = all->first;
  all->first = q;
  return q;
}

static int enter(struct queued_queues *all, const struct queued_queue *q) {
  if (all->current == q) return 0;
  all->current = 0;
  if (fchdir(q->fd) == -1) return -1;
  all->current = q;
  return 0;
}

/* A queue that was moved away, or removed and made again, is another directory. */
static int is_gone(struct queued_queues *all, struct queued_queue *q) {
  deadline now = mono_now();
  struct stat here, there;

  if (enter(all, q) == -1) return 1;
  if (now < q->look) return 0;
  q->look = now + LOOK_SECONDS * NS_PER_S;
  return fstat(q->fd, &here) == -1 || stat(q->dir.s, &there) == -1 || here.st_dev != there.st_dev ||
         here.st_ino != there.st_ino || access(QUEUE_TRIGGER, F_OK) == -1;
}

void queued_doubt(struct queued_queue *q) {
  q->look = 0;
}

static void drop(struct queued_queues *all, struct queued_queue *q) {
  struct queued_queue **p = &all->first;

  while (*p != q) p = &(*p)->next;
  *p = q->next;
  if (all->current == q) all->current = 0;
  journal_close(&q->journal);
  fd_close(q->trigger);
  fd_close(q->fd);
  stralloc_free(&q->dir);
  free(q);
}

/* Without a journal messages are synced one by one. */
static void want_journal(const struct queued_queues *all, struct queued_queue *q) {
  struct journal_era era;
  deadline now;

  if (q->journal.open && q->journal.broken < JOURNAL_SEGMENTS) return;
  now = mono_now();
  if (now < q->again) return;
  journal_close(&q->journal);
  if (journal_era(&era, all->boot_file, all->order) == -1 || journal_open(&q->journal, &era, all->journal_size) == -1) q->again = now + AGAIN_SECONDS * NS_PER_S;
}

struct queued_queue *queued_enter(struct queued_queues *all, const stralloc *dir) {
  struct queued_queue *q = find(all, dir);

  if (q && is_gone(all, q)) {
    drop(all, q);
    q = 0;
  }
  if (!q) { /* else is_gone has entered it */
    q = add(all, dir);
    if (!q || enter(all, q) == -1) return 0;
  }
  want_journal(all, q);
  return q;
}

void queued_settle(struct queued_queue *q) {
  journal_tick(&q->journal, mono_now());
}

void queued_tick(struct queued_queues *all) {
  deadline now = mono_now();

  for (struct queued_queue *q = all->first; q; q = q->next)
    if (q->journal.open && enter(all, q) == 0) journal_tick(&q->journal, now);
}

void queued_reaped(struct queued_queues *all, pid_t pid, int status) {
  for (struct queued_queue *q = all->first; q; q = q->next)
    if (journal_reaped(&q->journal, pid, status)) return;
}

void queued_queues_free(struct queued_queues *all) {
  while (all->first) drop(all, all->first);
}

/* --- the batch ----------------------------------------------------------------------------------- */

int queued_batch_add(struct queued_batch *b, struct queued_queue *q, const struct accept_origin *o, const char *message,
                     size_t n, const char *envelope, size_t envelope_n) {
  struct accept *a = &b->message[b->n];
  uint64_t beside = b->n ? b->message[b->n - 1].id : 0;
  int code = accept_prepare(a, o, beside, message, n, envelope, envelope_n, &b->text);

  if (code != QQ_queued) queued_doubt(q);
  if (code != QQ_queued) return code;
  if (!b->n) b->journaled = 1;
  b->n++;
  if (b->journaled)
    b->journaled = envelope_format(&a->env, &b->envelope) &&
                   journal_add(&q->journal, a->id, &b->envelope, b->text.s + a->text, a->text_n);
  return QQ_queued;
}

/* 1 all are there. */
static int store_each(struct queued_batch *b, int code[QUEUED_BATCH]) {
  int all = 1;

  for (size_t i = 0; i < b->n; ++i) {
    code[i] = accept_store(&b->message[i], &b->text);
    if (code[i] != QQ_queued) all = 0;
  }
  return all;
}

/* The files are made while the disk writes the records: 1 all of it is safe. */
static int store_by_journal(struct queued_batch *b, struct journal *j, int code[QUEUED_BATCH]) {
  int started = b->journaled && journal_start(j) == 0;
  int all;

  if (!started) journal_drop(j);
  all = store_each(b, code);
  if (started && all) return journal_finish(j) == 0;
  if (started) journal_cancel(j);
  return 0;
}

/* One by one, the way qmail-queue does it. */
static void sync_each(struct queued_batch *b, int code[QUEUED_BATCH]) {
  for (size_t i = 0; i < b->n; ++i)
    if (code[i] == QQ_queued && queue_sync(b->message[i].id, b->message[i].fd, &code[i]) == -1) accept_abandon(&b->message[i]);
}

void queued_batch_commit(struct queued_batch *b, struct queued_queue *q, int code[QUEUED_BATCH], uint64_t id[QUEUED_BATCH]) {
  char line[FMT_U64];
  size_t n = b->n;

  if (!store_by_journal(b, &q->journal, code)) sync_each(b, code);
  stralloc_cut(&b->announcement, 0);
  for (size_t i = 0; i < n; ++i) {
    id[i] = b->message[i].id;
    if (code[i] != QQ_queued) queued_doubt(q);
    /* Without memory: todo-proc looks for itself now and then. */
    else (void)!(stralloc_catb(&b->announcement, line, fmt_u64(line, id[i])) && stralloc_append(&b->announcement, '\n'));
    accept_free(&b->message[i]); /* which unlocks it: who looks through the queue untold must find it */
  }
  b->n = 0;
  stralloc_cut(&b->text, 0);
  if (b->text.a > KEEP_BYTES) stralloc_free(&b->text);
}

void queued_batch_announce(struct queued_batch *b, struct queued_queue *q) {
  queue_announce_all(&q->trigger, &b->announcement);
}

void queued_batch_free(struct queued_batch *b) {
  stralloc_free(&b->text);
  stralloc_free(&b->envelope);
  stralloc_free(&b->announcement);
}
