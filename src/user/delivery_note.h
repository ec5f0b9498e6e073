/* delivery_note: what was done with a message for an address, when not all of it could be done: programs that ran,
 * addresses it went to, Maildirs that have it.  When the message is tried again that is left out.
 *
 * A note is a file in HOME/.delivered, HOME being the directory the delivery runs in, named after the message's file
 * in the queue and the address; so it survives a restart, and is the same for every process that delivers.  It is
 * written only when a delivery is put off, and removed when it is not any more; one that nobody came back to goes
 * when another is written.  A message that is no file of a queue (a pipe) has none: what was done is done again. */
#ifndef USER_DELIVERY_NOTE_H
#define USER_DELIVERY_NOTE_H

#include "base/stralloc.h"
#include "base/strerr.h"
#include "base/strlist.h"

#define DELIVERY_NOTES ".delivered"
#define DELIVERY_NOTE_SECONDS 1209600 /* so old it is of a message that is no more */

struct delivery_note {
  stralloc path;       /* empty: there is no memory of this message */
  struct strlist done; /* a mark and what was done; emptied of what delivery_note_take has found */
  struct strlist now;  /* what the next note says */
  int was;             /* there was a note */
};

/* home "" or null: no memory.  What cannot be read is as if it was not there. */
void delivery_note_open(struct delivery_note *n, const char *home, int msgfd, const char *address);
/* Can it be remembered what is done? */
int delivery_note_works(const struct delivery_note *n);
/* Was it done before?  Each time it was counts once; it will be in the next note.  1, 0. */
int delivery_note_take(struct delivery_note *n, char mark, const char *what);
/* It is done: 1, or 0 without memory. */
int delivery_note_add(struct delivery_note *n, char mark, const char *what) MUST_CHECK;
/* The delivery is over: put off (again), or not.  0, or -1 with e filled: it was to be noted and could not be. */
int delivery_note_finish(struct delivery_note *n, int again, struct strerr *e) MUST_CHECK;
void delivery_note_free(struct delivery_note *n);

#endif
