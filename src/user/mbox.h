/* mbox: appends a message to a file in mbox format: a From_ line, head lines, the
 * message with > before each line that is From_ after any number of >, and an empty
 * line.  The file is locked while it changes, synced before success is reported,
 * and put back to its old length when anything fails. */
#ifndef USER_MBOX_H
#define USER_MBOX_H

#include <stddef.h>

#include "base/now.h"
#include "base/strerr.h"
#include "base/substdio.h"
#include "user/deliver.h"

/* from is the whole From_ line with its LF (UFLINE), head the whole lines that
 * follow it.  msgfd is read from offset 0; its own offset is neither used nor
 * moved.  Waits for the lock until locked_by; then DELIVER_TEMP.  The file is
 * created, mode 0600, if there is none. */
enum deliver_result mbox_deliver(const char *path, int msgfd, const char *from, const char *head,
                                 size_t headlen, deadline locked_by, struct strerr *e) MUST_CHECK;

/* The quoting alone, over text that arrives in pieces; zeroed before first use.  A
 * start of a line that could become From_ is held back until it is known, so
 * mbox_quote_end must follow the last piece: it also ends an unfinished line. */
struct mbox_quote {
  unsigned held;    /* bytes of "From " seen at this line's start */
  int in_line;      /* past the point where it matters */
  int unfinished;   /* bytes of a line without its LF went out */
};
int mbox_quote_put(struct mbox_quote *q, substdio *out, const char *s, size_t n) MUST_CHECK;
int mbox_quote_end(struct mbox_quote *q, substdio *out) MUST_CHECK;

#endif
