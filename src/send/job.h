/* job: how todo-proc hands a message over to qmail-send, so that the envelope is
 * read and judged once.  A frame is four bytes length, little-endian, and that many
 * bytes: J and strings ended by NUL: id birth size uid qp tried marks sender extra
 * captured dsn messid, then for each recipient that is not done: L or R and its index, its address, its DSN
 * parameters.
 * Other frames: L text and I text, for a warning and for information in the log.
 * From qmail-send to todo-proc: lines "F id" (finished: forget it), "H" (read settings
 * again), "S" (look for messages now), "D" and "A" (hand nothing over; go on). */
#ifndef SEND_JOB_H
#define SEND_JOB_H

#include "base/stralloc.h"
#include "send/message.h"

#define JOB_FRAME_MAX (512u << 20)

/* What stands before the recipients. */
struct job_head {
  uint64_t id, birth, size, uid, qp;
  uint64_t tried; /* last attempt, on the wall clock, or 0 */
  uint64_t marks; /* 0: it is new, the queue has no marks or failures of it */
};

/* Append a frame: job_begin, job_recipient for each, job_end.  A failure (memory, or too
 * long) is remembered until job_end, which then takes the frame away again and gives 0. */
struct job_writer {
  stralloc *out;
  size_t start;
  int ok;
};
void job_begin(struct job_writer *w, stralloc *out, const struct job_head *h, const stralloc *sender,
               const stralloc *extra, const stralloc *captured, const stralloc *dsn, const stralloc *messid);
void job_recipient(struct job_writer *w, enum channel channel, uint32_t index, const char *address, const char *notify,
                   size_t notify_n);
int job_end(struct job_writer *w) MUST_CHECK;
/* A frame with a log line: kind is JOB_WARNING or JOB_INFO. */
enum job_kind { JOB_MORE, JOB_MESSAGE, JOB_WARNING, JOB_INFO, JOB_BAD, JOB_NOMEM };
int job_format_log(stralloc *out, enum job_kind kind, const char *text) MUST_CHECK;

struct job_reader {
  stralloc buf;
  size_t taken;
};
int job_reader_add(struct job_reader *r, const char *s, size_t n) MUST_CHECK;
/* The next frame: a message (yours to free; its birth is the wall clock's) and its head,
 * or a log line (borrowed until the next call). */
enum job_kind job_take(struct job_reader *r, struct job_head *h, struct message **m, const char **text) MUST_CHECK;
void job_reader_free(struct job_reader *r);

#endif
