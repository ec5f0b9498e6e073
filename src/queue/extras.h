/* extras: what the administrator has done with every message that enters the queue, beside
 * queueing it: added recipients, quarantine, archive copies, header fields dropped, copied
 * and logged, a field with the client's address.  One implementation for qmail-queue and
 * qmail-queued.  An empty struct does nothing and costs nothing. */
#ifndef QUEUE_EXTRAS_H
#define QUEUE_EXTRAS_H

#include "base/stralloc.h"
#include "base/strlist.h"
#include "conf/conf.h"
#include "queue/envelope.h"
#include "queue/header_filter.h"

#define EXTRAS_NAMED 4
struct extras {
  const struct conf *conf; /* null: no extras */
  struct strlist add;      /* recipients */
  struct strlist named[EXTRAS_NAMED]; /* mailarchive and so on where a caller adds to the control file's lines */
  stralloc quarantine;
  uint64_t rejectvirus;
  const char *virusforward; /* borrowed */
  stralloc head; /* header lines that go before the message */
  int log_fd;    /* for LOGHEADERS; -1: none */
};

/* From settings (EXTRAS readers, borrowed until extras_free).  of_caller: the environment may
 * be that of a caller whom we have more rights than: it may only add to what the control files say, by
 * EXTRAQUEUE, or by MAILARCHIVE, REMOVEHEADERS, ENVHEADERS and LOGHEADERS with the name of another control
 * file that the caller may read; or, by QUARANTINE, REJECTVIRUS and VIRUSFORWARD, say what they leave open.
 * 0, or -1 when memory ran out or such a file cannot be read. */
int extras_load(struct extras *x, const struct conf *conf, int of_caller) MUST_CHECK;
/* Must a message go through qmail-queue, because it is to be scanned, or because the caller's
 * environment is to be looked at? */
int extras_need_process(const struct conf *conf);
/* The same for what an injector's environment says: is a variable of ours set in it? */
int extras_in_environment(const struct env *env);

/* Set up a filter for one message: 1 if there is anything to filter. */
int extras_filter(const struct extras *x, struct header_filter *f);
/* What the settings make of the envelope of a message that was filtered by f.  quarantine
 * (may be null or empty) stands in for the setting.  1, or 0 when memory ran out. */
int extras_apply(const struct extras *x, const struct header_filter *f, const char *quarantine, struct envelope *env) MUST_CHECK;
/* Write the lines that were to be logged.  Errors are ignored. */
void extras_log(const struct extras *x, const struct header_filter *f);
void extras_free(struct extras *x);

#endif
