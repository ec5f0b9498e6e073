/* header: a message's header, one field at a time (RFC 5322 2.2). */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "base/stralloc.h"
#include "base/substdio.h"

enum header_line { HEADER_FIELD, HEADER_END, HEADER_NOMEM, HEADER_ERROR };

struct header_reader {
  stralloc ahead; /* a line read too far */
  int have_ahead;
  int ended;
  int cuts; /* set by the caller: a field longer than max is cut, and the next is read */
};

/* The next field with its folds, LFs included, into field.  HEADER_END: the header is
 * over; when it ended with a line that is no field, that line is in field, for the
 * body.  HEADER_ERROR: reading failed, or a field is longer than max bytes (unless h cuts). */
enum header_line header_next(struct header_reader *h, substdio *in, stralloc *field, size_t max) MUST_CHECK;
void header_reader_free(struct header_reader *h);

/* Length of the name when s starts like "Name:" (blanks before the colon allowed),
 * else 0; *body is where the body begins. */
size_t header_name(const char *s, size_t n, size_t *body);

#endif
