/* journal: see journal.h. */
#include "queue/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/fmt.h"
#include "base/lock.h"
#include "base/scan.h"
#include "queue/crc32.h"
#include "queue/fsorder.h"
#include "queue/found.h"
#include "queue/transition.h"

#define BOOT_FILE "/proc/sys/kernel/random/boot_id"
#define NAME 64
#define SYNC_ALL_FROM 4 /* messages */

int journal_era(struct journal_era *era, const char *boot_file, const char *order) {
  stralloc text = STRALLOC_INIT;
  int r = file_read(*boot_file ? boot_file : BOOT_FILE, &text, 4096);

  if (r == 1) era->boot = (uint64_t)crc32(0, text.s, text.len) << 32 | crc32(~0u, text.s, text.len);
  if (r == 0) errno = ENOENT;
  era->ordered = fsorder_kept(order);
  stralloc_free(&text);
  return r == 1 ? 0 : -1;
}

/* --- names --------------------------------------------------------------------------------------- */

static void segment_name(char name[NAME], unsigned writer, int s) {
  char *p = stpcpy(name, JOURNAL_DIR "/");

  p += fmt_u64(p, writer);
  *p++ = '.';
  p += fmt_u64(p, (uint64_t)s);
  *p = 0;
}

static void mark_name(char name[NAME], unsigned writer, uint64_t batch) {
  char *p = stpcpy(name, JOURNAL_DIR "/");

  p += fmt_u64(p, writer);
  p = stpcpy(p, ".mark.");
  p += fmt_u64(p, batch);
  *p = 0;
}

/* The batch of this writer's marker: 1, 0 there is none, -1. */
static int find_mark(unsigned writer, uint64_t *batch) {
  DIR *dir = opendir(JOURNAL_DIR);
  struct dirent *d;
  int found = 0;

  if (!dir) return -1;
  *batch = 0;
  while ((errno = 0, d = readdir(dir)) != 0) {
    const char *dot = strchr(d->d_name, '.');
    uint64_t w, n;

    if (!dot || strncmp(dot, ".mark.", 6) || !scan_u64(d->d_name, (size_t)(dot - d->d_name), &w) || w != writer ||
        !scan_u64(dot + 6, strlen(dot + 6), &n))
      continue;
    if (n >= *batch) *batch = n;
    found = 1;
  }
  if (errno) found = -1;
  closedir(dir);
  return found;
}

/* --- segments ------------------------------------------------------------------------------------ */

static int write_at(int fd, const char *s, size_t n, off_t at) {
  while (n) {
    ssize_t w = pwrite(fd, s, n, at);

    if (w == -1 && errno == EINTR) continue;
    if (w == 0) errno = ENOSPC;
    if (w <= 0) return -1;
    s += w;
    at += w;
    n -= (size_t)w;
  }
  return 0;
}

/* Nothing in it counts any more, durably. */
static int write_head(int fd, uint64_t first_batch) {
  stralloc head = STRALLOC_INIT;
  int r;

  errno = ENOMEM;
  r = journal_head_format(&head, first_batch) ? write_at(fd, head.s, head.len, 0) : -1;
  if (r == 0) r = fdatasync(fd);
  stralloc_free(&head);
  return r;
}

/* A disk that is nearly full has better use for its room. */
static int has_room(size_t size) {
  struct statvfs fs;

  if (statvfs(".", &fs) == -1) return 0;
  errno = ENOSPC;
  return (uint64_t)fs.f_bavail * fs.f_frsize >= 2 * (uint64_t)JOURNAL_SEGMENTS * size;
}

/* A new segment gets all its blocks now: later writes change nothing but data. */
static int fill(int fd, uint64_t first_batch, size_t size) {
  static const char zeros[65536];
  int r = has_room(size) ? 0 : -1;

  for (size_t at = 0; r == 0 && at < size; at += sizeof zeros)
    r = write_at(fd, zeros, size - at < sizeof zeros ? size - at : sizeof zeros, (off_t)at);
  if (r == 0) r = fsync(fd);
  if (r == 0) r = write_head(fd, first_batch);
  if (r == 0) return fd_syncdir(JOURNAL_DIR);
  (void)!ftruncate(fd, 0); /* what it got so far is given back */
  return -1;
}

static int read_segment(int fd, stralloc *s) {
  stralloc_cut(s, 0);
  if (lseek(fd, 0, SEEK_SET) == -1) return -1;
  return fd_slurp(fd, s, 2 * JOURNAL_SEGMENT_MAX);
}

/* The newest batch it knows of, which is no more than the one before the first that counts
 * where it has none. */
static uint64_t last_batch(const stralloc *s) {
  struct journal_record r;
  uint64_t first, last = 0;
  size_t pos = 0;
  int records = 0;

  if (!journal_head_parse(stralloc_cstr(s), s->len, &first)) return 0;
  while (journal_next(s->s, s->len, first, &pos, &last, &r) == 1) records = 1;
  return records || !first ? last : first - 1;
}

/* Are there this many of its messages in the queue still? */
static int has_left(const stralloc *s, size_t many) {
  struct journal_record r;
  uint64_t first, last = 0;
  size_t pos = 0;

  if (!journal_head_parse(stralloc_cstr(s), s->len, &first)) return 0;
  while (many && journal_next(s->s, s->len, first, &pos, &last, &r) == 1) many -= queue_has(r.id, QUEUE_info) == 1;
  return !many;
}

/* Syncs every message of the segment that is still in the queue.  again: somebody may have
 * failed to, see queue_rewrite.  root: see queue_sync_all, or -1. */
static int sync_messages(const stralloc *s, int again, int root) {
  char touched[QUEUE_SPLIT] = {0};
  struct journal_record r;
  uint64_t first, last = 0;
  size_t pos = 0;

  if (!journal_head_parse(stralloc_cstr(s), s->len, &first)) return 0;
  if (!again && root != -1 && has_left(s, SYNC_ALL_FROM)) return queue_sync_all(root);
  while (journal_next(s->s, s->len, first, &pos, &last, &r) == 1) {
    int synced = again ? queue_rewrite(r.id, r.envelope, r.envelope_n, r.message, r.message_n) : queue_sync_message(r.id);

    if (synced == -1) return -1;
    if (synced) touched[r.id % QUEUE_SPLIT] = 1;
  }
  for (uint64_t i = 0; i < QUEUE_SPLIT; ++i)
    if (touched[i] && queue_sync_names(i) == -1) return -1;
  return 0;
}

static int settle(int fd, uint64_t next_batch, int again, int root) {
  stralloc s = STRALLOC_INIT;
  int r = read_segment(fd, &s);

  if (r == 0) r = sync_messages(&s, again, root);
  if (r == 0) r = write_head(fd, next_batch);
  stralloc_free(&s);
  return r;
}

/* --- recovery ------------------------------------------------------------------------------------ */

/* One record of an earlier boot: 1 restored, 0 nothing to do, -1. */
static int recover_one(const struct journal_record *r, uint64_t mark, int ordered) {
  struct envelope env = {0};
  int found, restored = 0;

  if (envelope_parse(&env, r->envelope, r->envelope_n) != ENVELOPE_OK) {
    envelope_free(&env);
    return 0; /* the checksum was right: not ours */
  }
  found = queue_looks(r->id, &env);
  /* Where the marker is beyond it, a message without envelope was finished. */
  if (found == QUEUE_TORN || (found == QUEUE_GONE && (r->batch > mark || !ordered))) restored = queue_restore(r->id, &env, r->message, r->message_n) == 0 ? 1 : -1;
  else if (found == QUEUE_UNKNOWN) restored = -1;
  envelope_free(&env);
  return restored;
}

/* The records of one segment: how many were restored, or -1. */
static long recover_segment(int fd, const struct journal_era *era, uint64_t mark) {
  stralloc s = STRALLOC_INIT;
  struct journal_record r;
  uint64_t first, batch = 0;
  size_t pos = 0;
  long restored = 0;
  int ours = 0, old = 0;

  if (read_segment(fd, &s) == -1) restored = -1;
  if (restored == 0 && journal_head_parse(stralloc_cstr(&s), s.len, &first))
    while (restored >= 0 && journal_next(s.s, s.len, first, &pos, &batch, &r) == 1) {
      int one;

      if (r.boot == era->boot) {
        ours = 1; /* its writer knows better */
        continue;
      }
      old = 1;
      one = recover_one(&r, mark, era->ordered);
      restored = one == -1 ? -1 : restored + one;
    }
  /* All of it is in the queue now: on disk, and then void. */
  if (restored >= 0 && !ours && old && (sync_messages(&s, 0, -1) == -1 || write_head(fd, batch + 1) == -1)) restored = -1;
  stralloc_free(&s);
  return restored;
}

/* --- writing ------------------------------------------------------------------------------------- */

static void close_segments(struct journal *j) {
  for (int i = 0; i < JOURNAL_SEGMENTS; ++i) {
    j->segment[i].fd = fd_close(j->segment[i].fd);
    j->segment[i].root = fd_close(j->segment[i].root);
  }
}

static int open_segment(unsigned writer, int s, int flags) {
  char name[NAME];

  segment_name(name, writer, s);
  return open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
}

/* One at a time opens journals or recovers: who finds the lock of a segment taken knows that
 * its writer has brought back what was lost. */
static int lock_journal(void) {
  int fd = open(JOURNAL_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd == -1 || lock_ex(fd) == 0) return fd;
  return fd_close(fd);
}

/* The lock on its first segment makes us this writer.  1, 0 somebody else is, -1. */
static int claim(struct journal *j, unsigned writer) {
  j->segment[0].fd = open_segment(writer, 0, O_CREAT);
  if (j->segment[0].fd == -1) return -1;
  if (lock_exnb(j->segment[0].fd) == 0) return 1;
  j->segment[0].fd = fd_close(j->segment[0].fd);
  return errno == EWOULDBLOCK ? 0 : -1;
}

/* What was left in it is brought back and settled, so that all of it is free: we may be
 * here before qmail-clean after a power loss. */
static int prepare(struct journal *j, int s, uint64_t mark, stralloc *text) {
  struct journal_segment *g = &j->segment[s];
  uint64_t last;

  if (g->fd == -1) g->fd = open_segment(j->writer, s, O_CREAT);
  if (g->fd == -1 || recover_segment(g->fd, &j->era, mark) == -1 || read_segment(g->fd, text) == -1) return -1;
  last = last_batch(text);
  if (last > j->batch) j->batch = last;
  if (sync_messages(text, 1, -1) == -1) return -1;
  return text->len < j->size ? fill(g->fd, j->batch + 1, j->size) : 0;
}

/* The marker stands at the last batch, from which we count on: no number is used twice. */
static int place_mark(const struct journal *j, int found, uint64_t was) {
  char from[NAME], to[NAME];
  int fd;

  mark_name(to, j->writer, j->batch);
  mark_name(from, j->writer, was);
  if (found && was != j->batch && rename(from, to) == -1) return -1;
  if (!found) {
    fd = fd_open_excl(to, 0600);
    if (fd == -1) return -1;
    fd_close(fd);
  }
  return fd_syncdir(JOURNAL_DIR);
}

/* There is no room for all segments.  Those before this one hold only what is settled: mail
 * needs the room they took. */
static void give_back(struct journal *j, int upto) {
  int saved = errno;

  for (int s = 0; s < upto; ++s) (void)!ftruncate(j->segment[s].fd, 0);
  errno = saved;
}

static int prepare_all(struct journal *j) {
  stralloc text = STRALLOC_INIT;
  uint64_t mark;
  int found = find_mark(j->writer, &mark);
  int r = found == -1 ? -1 : 0;

  j->batch = mark;
  for (int s = 0; r == 0 && s < JOURNAL_SEGMENTS; ++s) {
    r = prepare(j, s, mark, &text);
    if (r == -1) give_back(j, s);
  }
  for (int s = 0; r == 0 && s < JOURNAL_SEGMENTS; ++s) r = write_head(j->segment[s].fd, j->batch + 1);
  stralloc_free(&text);
  j->marked = j->batch;
  return r == 0 ? place_mark(j, found, mark) : -1;
}

int journal_open(struct journal *j, const struct journal_era *era, size_t size) {
  int got = 0;
  int dir;

  memset(j, 0, sizeof *j);
  j->era = *era;
  if (size < JOURNAL_SEGMENT_MIN) size = JOURNAL_SEGMENT_MIN;
  if (size > JOURNAL_SEGMENT_MAX) size = JOURNAL_SEGMENT_MAX;
  j->size = (size + JOURNAL_BLOCK - 1) & ~(size_t)(JOURNAL_BLOCK - 1);
  for (int i = 0; i < JOURNAL_SEGMENTS; ++i) j->segment[i].fd = j->segment[i].root = -1;
  dir = lock_journal();
  if (dir == -1) return -1;
  for (unsigned w = 0; got == 0 && w < JOURNAL_WRITERS; ++w) {
    got = claim(j, w);
    j->writer = w;
  }
  j->open = got == 1 && prepare_all(j) == 0;
  if (!j->open) close_segments(j);
  fd_close(dir);
  return j->open ? 0 : -1;
}

int journal_add(struct journal *j, uint64_t id, const stralloc *envelope, const char *message, size_t n) {
  const struct journal_record r = {j->batch + 1, j->era.boot, id, envelope->s, message, envelope->len, n};
  size_t room = j->size - JOURNAL_BLOCK;
  size_t before = j->records.len;

  if (!j->open || before + JOURNAL_RECORD_HEAD + envelope->len + n + 8 > room) return 0;
  if (journal_record_format(&j->records, &r)) return 1;
  stralloc_cut(&j->records, before);
  return 0;
}

void journal_drop(struct journal *j) {
  stralloc_cut(&j->records, 0);
}

static struct journal_segment *current(struct journal *j) {
  for (int i = 0; j->at && i < JOURNAL_SEGMENTS; ++i)
    if (j->segment[i].state == JOURNAL_CURRENT) return &j->segment[i];
  return 0;
}

/* In a child: it may take long, and we go on with another segment. */
static void start_settling(struct journal *j, struct journal_segment *g) {
  pid_t pid = fork();

  if (g->state == JOURNAL_CURRENT) j->at = 0;
  g->state = JOURNAL_SETTLING;
  g->settler = 0;
  if (pid == 0) _exit(settle(g->fd, j->batch + 1, g->failed, g->root) == 0 ? 0 : 111);
  if (pid > 0) g->settler = pid;
  else g->due = deadline_in(1);
}

static struct journal_segment *segment_for(struct journal *j, size_t n) {
  struct journal_segment *g = current(j);

  if (g && j->at + n <= j->size) return g;
  if (g) {
    g->state = JOURNAL_SETTLING; /* by the next tick */
    g->due = 0;
    j->at = 0;
  }
  for (int i = 0; i < JOURNAL_SEGMENTS; ++i) {
    g = &j->segment[i];
    if (g->state != JOURNAL_FREE) continue;
    g->state = JOURNAL_CURRENT;
    fd_close(g->root);
    g->root = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g->due = deadline_in(JOURNAL_SECONDS);
    j->at = JOURNAL_BLOCK;
    return g;
  }
  return 0;
}

/* From the batch before to this one. */
static int move_mark(const struct journal *j) {
  char from[NAME], to[NAME];

  mark_name(from, j->writer, j->marked);
  mark_name(to, j->writer, j->batch);
  return rename(from, to);
}

/* What became of it on disk nobody knows: it is not used again, and its records are made
 * void as well as the disk lets us. */
static void give_up(struct journal *j, struct journal_segment *g) {
  int saved = errno;

  (void)!write_head(g->fd, j->batch + 1);
  g->state = JOURNAL_BROKEN;
  j->at = 0;
  j->broken++;
  errno = saved;
}

int journal_start(struct journal *j) {
  struct journal_segment *g = 0;

  errno = ENOMEM;
  if (journal_pad(&j->records)) {
    errno = EAGAIN;
    g = segment_for(j, j->records.len);
  }
  if (g) {
    j->batch++;
    if (write_at(g->fd, j->records.s, j->records.len, (off_t)j->at) == 0) {
      (void)!sync_file_range(g->fd, (off_t)j->at, (off_t)j->records.len, SYNC_FILE_RANGE_WRITE); /* what it does not begin the sync does */
      return 0;
    }
    give_up(j, g);
  }
  journal_drop(j);
  return -1;
}

/* The place of the batch is written over, for the next one to go there. */
static void make_void(struct journal *j, struct journal_segment *g) {
  int saved = errno;

  memset(j->records.s, 0, j->records.len);
  if (write_at(g->fd, j->records.s, j->records.len, (off_t)j->at) == -1 || fdatasync(g->fd) == -1) give_up(j, g);
  errno = saved;
}

static int end(struct journal *j, int keep) {
  struct journal_segment *g = current(j);
  int r = fdatasync(g->fd);

  if (r == -1) give_up(j, g);
  else if (keep && move_mark(j) == 0) {
    j->marked = j->batch;
    j->at += j->records.len;
  } else {
    make_void(j, g);
    r = -1;
  }
  journal_drop(j);
  return r;
}

int journal_finish(struct journal *j) {
  return end(j, 1);
}

void journal_cancel(struct journal *j) {
  (void)!end(j, 0);
}

void journal_tick(struct journal *j, deadline now) {
  for (int i = 0; j->open && i < JOURNAL_SEGMENTS; ++i) {
    struct journal_segment *g = &j->segment[i];
    int waits = g->state == JOURNAL_SETTLING && !g->settler;

    if ((g->state == JOURNAL_CURRENT || waits) && now >= g->due) start_settling(j, g);
  }
}

int journal_reaped(struct journal *j, pid_t pid, int status) {
  for (int i = 0; i < JOURNAL_SEGMENTS; ++i) {
    struct journal_segment *g = &j->segment[i];

    if (g->state != JOURNAL_SETTLING || g->settler != pid) continue;
    g->settler = 0;
    g->failed = status != 0;
    if (status == 0) g->state = JOURNAL_FREE;
    else g->due = deadline_in(JOURNAL_SECONDS); /* its records stay; once more later */
    return 1;
  }
  return 0;
}

void journal_close(struct journal *j) {
  if (j->open) close_segments(j); /* a zeroed one would close descriptor 0 */
  stralloc_free(&j->records);
  j->open = 0;
}

/* --- all of a queue ------------------------------------------------------------------------------ */

static long recover_writer(unsigned w, const struct journal_era *era) {
  long total = 0;
  uint64_t mark;
  int lock = open_segment(w, 0, 0);

  if (lock == -1) return errno == ENOENT ? 0 : -1;
  if (lock_exnb(lock) == -1) { /* its writer runs: this is no boot */
    fd_close(lock);
    return 0;
  }
  if (find_mark(w, &mark) == -1) total = -1;
  for (int s = 0; s < JOURNAL_SEGMENTS && total >= 0; ++s) {
    int fd = s ? open_segment(w, s, 0) : dup(lock);
    long n;

    if (fd == -1 && errno == ENOENT) continue;
    n = fd == -1 ? -1 : recover_segment(fd, era, mark);
    fd_close(fd);
    total = n == -1 ? -1 : total + n;
  }
  fd_close(lock);
  return total;
}

long journal_recover(const struct journal_era *era) {
  long total = 0;
  int dir = lock_journal();

  if (dir == -1) return errno == ENOENT ? 0 : -1;
  for (unsigned w = 0; w < JOURNAL_WRITERS && total >= 0; ++w) {
    long n = recover_writer(w, era);

    total = n == -1 ? -1 : total + n;
  }
  fd_close(dir);
  return total;
}
