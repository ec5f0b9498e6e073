/* filter: the administrator's shell commands that see a message before it is queued: for
 * qmail-multi ($SPAMFILTER, $FILTERARGS).  Messages are passed on in files that have no name,
 * so that nothing is queued before the last filter has spoken. */
#ifndef QUEUE_FILTER_H
#define QUEUE_FILTER_H

#include "base/attr.h"
#include "base/env.h"

/* Where files are that are gone when they are closed: $TMPDIR or /tmp. */
const char *filter_directory(void);
/* An open file without a name there; -1 with errno. */
int filter_temporary(void) MUST_CHECK;
/* Copy descriptor 0 to such a file and put that in its place: QQ_queued, or a code. */
int filter_make_seekable(void) MUST_CHECK;

/* Run command by the shell with the message on descriptor 0, which becomes its output.  Its
 * exit code is put into *code; QQ_queued, or the code of what went wrong. */
int filter_run(const char *command, struct env *env, int *code) MUST_CHECK;

/* What becomes of the message: QQ_queued with *drop set or not, or qmail-queue's code. */
int filter_args_verdict(int code, int *drop);
/* For the spam filter, whose codes are settings. */
enum spam { SPAM_HAM, SPAM_SPAM, SPAM_TROUBLE };
struct spam_codes {
  uint64_t spam, ham, unsure;
};
enum spam filter_spam_verdict(int code, const struct spam_codes *c);

#endif
