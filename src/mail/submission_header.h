/* submission_header: completes the header of a message that comes from its author (RFC 6409
 * section 8): Date and Message-ID where they are missing (RFC 5322 section 3.6).  They go behind the
 * last field; nothing else is touched, and nothing is kept but the beginning of a line.  Lines end
 * with LF.  Pure. */
#ifndef MAIL_SUBMISSION_HEADER_H
#define MAIL_SUBMISSION_HEADER_H

#include <stddef.h>

#include "base/stralloc.h"

#define SUBMISSION_NAME_MAX 77 /* longest name of a field we take for one */

struct submission_header {
  enum { SUBMISSION_START, SUBMISSION_NAME, SUBMISSION_REST, SUBMISSION_DONE } at; /* within a line */
  unsigned char has_date, has_messid, any; /* fields seen */
  unsigned char n;
  char name[SUBMISSION_NAME_MAX + 1]; /* of the line under way, not yet passed on */
};

/* What is added: whole lines, kept by the caller. */
struct submission_fields {
  const char *date, *messid;
};

/* More of the message; what goes on is appended to out: 1, or 0 without memory.  Once at is
 * SUBMISSION_DONE the rest of the message may go on without it. */
int submission_header_feed(struct submission_header *h, const struct submission_fields *f, const char *s, size_t n,
                           stralloc *out) MUST_CHECK;
/* The message is over. */
int submission_header_end(struct submission_header *h, const struct submission_fields *f, stralloc *out) MUST_CHECK;

#endif
