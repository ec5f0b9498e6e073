/* header_filter: goes through a message as it is taken in and, of its header, drops fields
 * by name (REMOVEHEADERS), keeps a copy of fields for delivery programs (ENVHEADERS), or of
 * lines for a log (LOGHEADERS).  Fed in pieces of any size; the result does not depend on
 * where they were cut.  Pure.
 *
 * The header ends with its empty line, or before a line that is no field.  Names are
 * compared without regard to case; a field's folded lines go the way of its first. */
#ifndef QUEUE_HEADER_FILTER_H
#define QUEUE_HEADER_FILTER_H

#include <stddef.h>

#include "base/stralloc.h"
#include "base/strlist.h"

#define HEADER_FILTER_NAME_MAX 100     /* a longer name is none of those looked for */
#define HEADER_FILTER_VALUE_MAX 1000   /* of a copy, unless the list says less */
#define HEADER_FILTER_COPIES_MAX 32768 /* of all copies of one kind */

struct header_filter {
  /* lists of names, null or borrowed: dropped; copied, "Name" or "Name:maxlen"; logged */
  const struct strlist *remove, *capture, *log;
  stralloc captured, logged; /* "Name: value\n" each, unfolded */
  /* inside */
  enum { FILTER_START, FILTER_NAME, FILTER_REST, FILTER_BODY } state;
  int drop;
  size_t capture_left, log_left; /* bytes of the value that are still copied, + 1; 0: none */
  stralloc name;                 /* start of a line, until it is known what it is */
};

/* Append what remains of these bytes to out: 1, or 0 when memory ran out. */
int header_filter_feed(struct header_filter *f, const char *s, size_t n, stralloc *out) MUST_CHECK;
/* The message ended: append what was held back. */
int header_filter_end(struct header_filter *f, stralloc *out) MUST_CHECK;
/* Is the header over, so that all bytes remain as they are? */
int header_filter_done(const struct header_filter *f);
void header_filter_free(struct header_filter *f);

#endif
