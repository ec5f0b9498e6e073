/* worker_proto: what qmail-lspawn and a resident qmail-local say over their socket (a
 * SOCK_SEQPACKET pair).  Job: nine strings ended by NUL: user home local dash ext host
 * sender defaultdelivery extra; with it come two descriptors, the message and where
 * text for the log goes.  Answer: one byte, the exit code qmail-local would have had. */
#ifndef QUEUE_WORKER_PROTO_H
#define QUEUE_WORKER_PROTO_H

#include <stddef.h>

#include "base/attr.h"
#include "base/stralloc.h"

#define WORKER_JOB_MAX 65536
#define WORKER_FIELDS 9

int worker_job_format(stralloc *out, const char *const field[WORKER_FIELDS]) MUST_CHECK;
/* field points into s: 1, or 0 when it is malformed. */
int worker_job_parse(const char *s, size_t n, const char *field[WORKER_FIELDS]);

#endif
