/* journal: makes acceptance of many messages cost one sync.
 *
 * A message is put into the queue without any sync; what makes it safe is its record in a
 * preallocated file, where one fdatasync covers all that came together and no change of
 * metadata waits for the file system's own journal.  It is on its way to the disk while the
 * files of the batch are made: what is accepted has both.  The record is needed only until the
 * message itself is on disk: most are delivered and removed before that, the others are
 * synced later, in the background, when their segment is to be used again.
 *
 * Recovery after a power loss (never after the mere death of processes, which loses
 * nothing that was written: a record names the boot it was written in) restores what is
 * missing or torn.  But it must not bring back what was delivered and removed.  That is
 * told by the marker, a file whose name holds the number of the last batch and which is
 * renamed after the files of each batch were made.  Where the file system keeps the order of
 * such changes (queue/fsorder.h) and the marker has reached a batch, a message of it that is
 * not there was finished.  Where it does not, the marker says nothing: every message that is
 * not there comes back, for one twice is better than one lost.
 *
 * journal/W.S is segment S of writer W, journal/W.mark.N its marker.  All calls work in
 * the queue that is the current directory.  0 or -1 with errno unless said otherwise. */
#ifndef QUEUE_JOURNAL_H
#define QUEUE_JOURNAL_H

#include <stdint.h>
#include <sys/types.h>

#include "base/now.h"
#include "base/stralloc.h"
#include "queue/journal_record.h"

#define JOURNAL_DIR "journal"
#define JOURNAL_WRITERS 64
#define JOURNAL_SEGMENTS 4
#define JOURNAL_SEGMENT_MIN (16 << 10)
#define JOURNAL_SEGMENT_MAX (256 << 20)
#define JOURNAL_SECONDS 10 /* after which the messages of a segment are synced themselves */

struct journal_segment {
  int fd;
  int root; /* the queue's directory, open since before the first of its messages: see queue_sync_all; or -1 */
  enum { JOURNAL_FREE, JOURNAL_CURRENT, JOURNAL_SETTLING, JOURNAL_BROKEN } state;
  pid_t settler; /* syncs its messages, then frees it */
  int failed;    /* it could not: the next one writes them again */
  deadline due;  /* when it is to be settled, though not full */
};

/* What recovery goes by. */
struct journal_era {
  uint64_t boot; /* which run of the system this is */
  int ordered;   /* the file system keeps the order of names */
};

struct journal {
  int open;
  unsigned writer;
  size_t size; /* of a segment */
  struct journal_era era;
  uint64_t batch;  /* the last one that was started */
  uint64_t marked; /* where the marker stands */
  struct journal_segment segment[JOURNAL_SEGMENTS];
  size_t at;  /* where the next batch goes in the current segment; 0: there is none */
  stralloc records;
  uint64_t broken; /* how many segments were given up */
};

/* Of the queue that is the current directory.  boot_file: "", which means /proc's, or another
 * one; order: see fsorder_kept. */
int journal_era(struct journal_era *era, const char *boot_file, const char *order) MUST_CHECK;

/* Become a writer of this queue, with segments of this size (or the next possible one).  What
 * an earlier process left is settled first, after a power loss brought back. */
int journal_open(struct journal *j, const struct journal_era *era, size_t size) MUST_CHECK;
/* Add a message to the batch under way: 1, or 0 (it does not fit, or no memory). */
int journal_add(struct journal *j, uint64_t id, const stralloc *envelope, const char *message, size_t n) MUST_CHECK;
/* Begin to write the batch to disk; the files of its messages may be made meanwhile.  -1: it is
 * dropped. */
int journal_start(struct journal *j) MUST_CHECK;
/* The files are there: wait until the batch is safe.  -1: it is not, and never will be by us. */
int journal_finish(struct journal *j) MUST_CHECK;
/* Some of the files could not be made: no power loss is to bring back messages of this batch. */
void journal_cancel(struct journal *j);
/* Forget the batch under way, which was not started. */
void journal_drop(struct journal *j);
/* Settle in the background what is due or full, in a child; while no batch is under way, for the
 * child shares the descriptors and locks of its files for a moment. */
void journal_tick(struct journal *j, deadline now);
/* A child that ended: 1 if it was ours. */
int journal_reaped(struct journal *j, pid_t pid, int status);
void journal_close(struct journal *j);

/* After a power loss: bring back every accepted message of this queue that the disk lost,
 * and free the segments.  Gives how many were restored, or -1.  For qmail-start, before
 * anything else looks at the queue; waits for a writer that is in journal_open. */
long journal_recover(const struct journal_era *era);

#endif
