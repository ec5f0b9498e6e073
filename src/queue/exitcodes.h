/* exitcodes: the exit codes of qmail-queue as names, and what a client is told. */
#ifndef QUEUE_EXITCODES_H
#define QUEUE_EXITCODES_H

enum qq_code {
#define EXITCODE(code, name, reply, meaning) QQ_##name = (code),
#include "queue/exitcodes.def"
#undef EXITCODE
};

/* K, Z or D and the text after it, for any code: one that is not in the table is
 * classed by its range.  A constant. */
const char *exitcodes_reply(int code);

#endif
