/* worker_proto: what a spawner and its resident workers say over their socket (a
 * SOCK_SEQPACKET pair).
 *
 * Job: one message, strings ended by NUL; with it come descriptors.
 *   qmail-local: user home local dash ext host sender defaultdelivery extra messid, the
 *   DSN parameters of MAIL and of the recipient (mail/dsn.h); the message
 *   qmail-remote: host sender extra dsn and one or more recipients, each with its DSN parameters
 *   behind it; the message
 * Answer: a byte, the exit code the program would have had, and its output.  Output that is
 * too long for one message goes before it, in messages that begin with WORKER_MORE. */
#ifndef QUEUE_WORKER_PROTO_H
#define QUEUE_WORKER_PROTO_H

#include <stddef.h>

#include "base/attr.h"
#include "base/stralloc.h"

#define WORKER_JOB_MAX 65536
#define WORKER_ANSWER_MAX 16384
#define WORKER_MORE 255
#define WORKER_LOCAL_FIELDS 12
#define WORKER_REMOTE_FIELDS 4 /* before the recipients */

int worker_job_format(stralloc *out, const char *const *field, size_t n) MUST_CHECK;
/* field points into s: how many, or 0 when it is malformed or there are more than max. */
size_t worker_job_parse(const char *s, size_t n, const char **field, size_t max);
/* Write an answer: 0 or -1.  Blocks as the socket does. */
int worker_answer(int sock, unsigned char code, const char *output, size_t n) MUST_CHECK;

#endif
