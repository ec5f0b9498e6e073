/* job: how todo-proc hands a message over to qmail-send, so that the envelope is
 * read and judged once.  A frame is four bytes length, little-endian, and that many
 * bytes: J and strings ended by NUL: id birth size uid qp tried sender extra captured dsn,
 * then for each recipient that is not done: L or R and its index, its address, its DSN
 * parameters.
 * Another frame: L text (a log line).
 * From qmail-send to todo-proc: lines "F id" (finished: forget it), "H" (read settings
 * again), "S" (look for messages now). */
#ifndef SEND_JOB_H
#define SEND_JOB_H

#include "base/stralloc.h"
#include "send/message.h"

#define JOB_FRAME_MAX (512u << 20)

/* Append a frame with this message. */
int job_format(stralloc *out, const struct message *m) MUST_CHECK;
/* A frame with a log line. */
int job_format_log(stralloc *out, const char *text) MUST_CHECK;

struct job_reader {
  stralloc buf;
  size_t taken;
};
int job_reader_add(struct job_reader *r, const char *s, size_t n) MUST_CHECK;
enum job_kind { JOB_MORE, JOB_MESSAGE, JOB_LOG, JOB_BAD, JOB_NOMEM };
/* The next frame: a message (yours to free), or a log line (borrowed until the next
 * call). */
enum job_kind job_take(struct job_reader *r, struct message **m, const char **text) MUST_CHECK;
void job_reader_free(struct job_reader *r);

#endif
