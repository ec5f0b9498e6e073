/* lookup_proto: the messages between inlookup and its clients; the only place that
 * knows their form.
 *
 * A message is one netstring whose content is a sequence of netstrings, its fields:
 *   request   "IL1" op argument...
 *   answer    "IL1" status field...        status: ok none temporary bad denied
 * Over the FIFO a request has "IL1F" and the name of the client's reply FIFO before
 * the op, and its length is at most PIPE_BUF.  Lengths are checked before they are
 * used; nothing is copied out of the message while it is parsed. */
#ifndef USER_LOOKUP_PROTO_H
#define USER_LOOKUP_PROTO_H

#include <stddef.h>

#include "base/stralloc.h"

#define LOOKUP_REQUEST_MAX 4000  /* whole message */
#define LOOKUP_ANSWER_MAX 1048576 /* whole message: the longest has three times FILTER_RULES_MAX rules */
#define LOOKUP_LINES_MAX 8192 /* of an alias, in an answer; all of them LOOKUP_LINES_BYTES */
#define LOOKUP_LINES_BYTES 1000000
#define LOOKUP_ARGUMENTS_MAX 6
#define LOOKUP_NAME_MAX 64       /* of a reply FIFO */

enum lookup_op {
#define LOOKUP_OP(id, name, arguments, right, pool, away, answer) LOOKUP_OP_##id,
#include "user/lookup_ops.def"
#undef LOOKUP_OP
  LOOKUP_OPS
};

enum lookup_right { LOOKUP_ANYONE, LOOKUP_DELIVERY, LOOKUP_VERIFY };
enum lookup_pool { LOOKUP_QUICK, LOOKUP_SLOW };
enum lookup_away { LOOKUP_WAITS, LOOKUP_KEPT };

struct lookup_op_row {
  const char *name;
  size_t arguments;
  enum lookup_right right;
  enum lookup_pool pool;
  enum lookup_away away;
  const char *answer;
};
extern const struct lookup_op_row lookup_ops[LOOKUP_OPS];
/* Index of the operation of this name, or -1. */
int lookup_op_find(const char *name, size_t n);

enum lookup_status {
  LOOKUP_STATUS_ok,
  LOOKUP_STATUS_kept,      /* as ok, from memory: the database cannot be asked, and may know better */
  LOOKUP_STATUS_none,
  LOOKUP_STATUS_temporary, /* one field: why */
  LOOKUP_STATUS_bad,       /* one field: why */
  LOOKUP_STATUS_denied,
  LOOKUP_STATUSES
};
/* Its word in an answer. */
const char *lookup_status_name(enum lookup_status status);

struct lookup_field {
  const char *s; /* in the message, not ended by a NUL */
  size_t n;
};

struct lookup_request {
  enum lookup_op op;
  struct lookup_field reply; /* FIFO: name of the reply FIFO; else empty */
  struct lookup_field arg[LOOKUP_ARGUMENTS_MAX];
};

/* How many bytes the message at the start of buf takes: 0 more are needed, -1 it is
 * none or would be larger than max. */
long lookup_frame(const char *buf, size_t n, size_t max);
/* Takes a whole message (as lookup_frame measured it) apart.  Null, or why it is no
 * request.  A field with a NUL is refused. */
const char *lookup_request_parse(const char *msg, size_t n, struct lookup_request *r);
/* Appends a request; reply null: for the socket.  1, or 0 (memory, or too long). */
int lookup_request_fmt(stralloc *msg, const char *reply, enum lookup_op op, const char *const *arg) MUST_CHECK;

/* An answer being written: fields are put one by one, then it is closed. */
int lookup_answer_start(stralloc *fields, enum lookup_status status) MUST_CHECK;
int lookup_answer_put(stralloc *fields, const char *s, size_t n) MUST_CHECK;
int lookup_answer_putu(stralloc *fields, unsigned long u) MUST_CHECK;
/* Appends the whole message to msg.  1, or 0 (memory, or too long). */
int lookup_answer_end(stralloc *msg, const stralloc *fields) MUST_CHECK;

/* Reading an answer: start gives the status (-1 if it is none of ours), next the
 * fields one by one: 1, 0 at the end, -1 malformed. */
struct lookup_reader {
  const char *s;
  size_t n;
};
int lookup_answer_parse(const char *msg, size_t n, struct lookup_reader *r);
int lookup_answer_next(struct lookup_reader *r, struct lookup_field *f);

#endif
