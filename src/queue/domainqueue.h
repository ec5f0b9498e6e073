/* domainqueue: which queue mail for a domain goes to, by the lines of control/domainqueue:
 * pattern:VAR=value,VAR=value ...  A pattern is a domain with shell wildcards, case aside.
 * Of the lines that match, and of a message's recipients for which one does, the last wins,
 * alone.  Variables are those that choose a queue: QUEUEDIR QUEUE_BASE QUEUE_COUNT
 * QUEUE_START MIN_FREE QMAILQUEUE.  Pure. */
#ifndef QUEUE_DOMAINQUEUE_H
#define QUEUE_DOMAINQUEUE_H

#include "base/env.h"
#include "base/strlist.h"

/* The assignments of the last line that matches the domain of this address (its host part, or
 * "" without one), or null; borrowed from rules.  1, or 0 when memory ran out: there is no telling. */
int domainqueue_find(const struct strlist *rules, const char *address, size_t n, const char **found) MUST_CHECK;

/* Put them into the environment of the queue program.  Where they do not set QUEUEDIR it is
 * unset, for it would win over the others. */
enum domainqueue_verdict { DOMAINQUEUE_OK, DOMAINQUEUE_BAD, DOMAINQUEUE_NOMEM };
enum domainqueue_verdict domainqueue_apply(const char *assignments, struct env *env) MUST_CHECK;

/* All that any line assigns, appended as VAR=value: 1, or 0 when memory ran out. */
int domainqueue_variables(const struct strlist *rules, struct strlist *out) MUST_CHECK;

#endif
