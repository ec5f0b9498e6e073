/* transition: every change of a queue's state (states.def) is one of these calls.
 * fsync of files and directories happens here and nowhere else.  All work in the
 * queue directory, which must be the current one, and give 0 or -1 with errno
 * unless they say otherwise.  They block for as long as the disk does. */
#ifndef QUEUE_TRANSITION_H
#define QUEUE_TRANSITION_H

#include <stdint.h>

#include "base/stralloc.h"
#include "queue/envelope.h"
#include "queue/queuepath.h"

/* absent -> writing: take a free id and create mess/ID, locked until it is closed.
 * The descriptor, or -1.  queue_create_beside: an id whose files lie in the same
 * directories as those of id, so that one sync of these serves both. */
int queue_create(uint64_t *id) MUST_CHECK;
int queue_create_beside(uint64_t *id) MUST_CHECK;
/* writing -> queued: write the envelope, sync it, the message and both directories.
 * When this gives 0 the message is accepted; otherwise *code is the exit code of
 * qmail-queue and nothing is. */
int queue_commit(uint64_t id, int messfd, const struct envelope *env, int *code) MUST_CHECK;
/* The same in two steps, for many messages that share a journal (queue/journal.h): put
 * the envelope in its place without any sync; then, where the journal does not make them
 * safe, sync them. */
int queue_place(uint64_t id, const struct envelope *env, int *code) MUST_CHECK;
int queue_sync(uint64_t id, int messfd, int *code) MUST_CHECK;
/* writing or committing -> absent: the injector gave up. */
void queue_abandon(uint64_t id);
/* Announce a new message to todo-proc.  Nobody may be listening: no error. */
void queue_announce(uint64_t id);
/* There may be some in the queue dir that nobody has announced: it is to look. */
void queue_announce_unknown(const char *dir);
/* Several: lines of ids, at most PIPE_BUF bytes.  *trigger is the caller's, -1 before the first
 * time: it stays open.  SIGPIPE must be ignored. */
void queue_announce_all(int *trigger, const stralloc *lines);

/* For the journal.  Sync message and envelope themselves: 1, 0 when they are gone; and
 * the directories of a split number. */
int queue_sync_message(uint64_t id) MUST_CHECK;
int queue_sync_names(uint64_t split) MUST_CHECK;
/* All there is in the file system of the queue: of many messages less work than each by itself.  root: the queue's directory,
 * open since before the first of them was written, for it is told of every error since then, whoever else was. */
int queue_sync_all(int root) MUST_CHECK;
/* torn or gone -> queued, synced.  Until that is done it stays torn or gone, whatever cuts it
 * short. */
int queue_restore(uint64_t id, const struct envelope *env, const char *message, size_t n) MUST_CHECK;
/* As queue_sync_message, after the bytes of both files were written once more: of a file that
 * could not be synced the system may believe afterwards that it is on disk. */
int queue_rewrite(uint64_t id, const char *envelope, size_t envelope_n, const char *message, size_t n) MUST_CHECK;

/* queued -> tried: the recipients of these numbers (rising) are done.  A byte for each,
 * written in place; none at all remembers only that an attempt was made now.  Safe
 * when queue_sync_marks has given 0: one sync for all that were marked meanwhile. */
int queue_mark_done(uint64_t id, const uint32_t *index, size_t n) MUST_CHECK;
int queue_sync_marks(uint64_t id) MUST_CHECK;
/* The marks, one byte per recipient (missing bytes: not done); *tried is the time
 * of the last attempt or 0.  0 or -1. */
int queue_marks(uint64_t id, stralloc *marks, int64_t *tried) MUST_CHECK;

/* Append to bounce/ID, which is on disk then, and read it (1, 0 none, -1).  Of more than a bounce can be made
 * of the beginning is read, whole paragraphs of it, and *cut set: it must not wait for ever. */
int queue_bounce_append(uint64_t id, const char *s, size_t n) MUST_CHECK;
int queue_bounce_read(uint64_t id, stralloc *text, int *cut) MUST_CHECK;
int queue_bounce_remove(uint64_t id) MUST_CHECK;

/* tried, queued -> finishing -> finished: remove info, then mess (qmail-clean).  Until
 * the directory is synced, by anybody, a power loss may bring the message back. */
int queue_remove(uint64_t id) MUST_CHECK;
/* Sync the directory that names the envelope of this message. */
int queue_sync_removal(uint64_t id) MUST_CHECK;
/* finished -> absent: remove the marks and what is left of a bounce text (qmail-send). */
int queue_remove_marks(uint64_t id) MUST_CHECK;

/* absent -> importing (queue-fix): write a message that comes from another queue, with
 * marks (may be empty) and bounce text (likewise), all of it on disk when this gives 0; size
 * and checksum of env are filled in here.  Nothing touches it until queue_import_publish,
 * and a second call for the same id replaces what the first one wrote.  Each new file is
 * given to owner's entry for its kind. */
struct queue_owner {
  uid_t uid;
  gid_t gid;
};
int queue_import(uint64_t id, int messfd, struct envelope *env, const stralloc *marks, const stralloc *bounce,
                 const struct queue_owner owner[QUEUE_FILES]) MUST_CHECK;
/* Is the id taken by a message that is not in this state?  1, 0, or -1. */
int queue_id_taken(uint64_t id) MUST_CHECK;
/* importing -> queued. */
int queue_import_publish(uint64_t id) MUST_CHECK;

/* Remove marks and bounce texts whose message is gone: for qmail-send at its start,
 * when no message can be in between.  Gives how many. */
long queue_sweep_marks(void);

/* Remove what a SWEEP state left behind, older than age seconds. Gives how many. */
long queue_sweep(int64_t now, int64_t age);

#endif
