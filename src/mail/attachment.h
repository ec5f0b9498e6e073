/* attachment: the names of a message's attachments, line by line: name and filename of
 * Content-Type and Content-Disposition (RFC 2045, 2183) in every part of a multipart message and
 * of messages inside it, in the forms of RFC 2231 and RFC 2047 too, and begin lines of uuencode.
 * What is malformed is read as a mail program in doubt would: a name too many is reported rather
 * than one too few.  Memory is bounded; what does not fit makes the message unreadable.  Pure. */
#ifndef MAIL_ATTACHMENT_H
#define MAIL_ATTACHMENT_H

#include "base/stralloc.h"

/* Called with each field of the header of a part, unfolded, of a long one with its beginning: 1, or 0 when memory ran out. */
typedef int (*attachment_field_fn)(void *ctx, const char *field, size_t n);

struct attachment_scan { /* zeroed before use, but for the next two */
  attachment_field_fn field_fn; /* null: nobody wants them */
  void *field_ctx;
  int in_part; /* the message's own header is over */
  int in_body;
  int inner;           /* this part is a message: its header follows */
  int cut;             /* not all of the field is there */
  int unreadable;      /* there may be names that we do not see */
  stralloc field;      /* so far, unfolded */
  stralloc boundaries; /* of the multiparts we are in, each ended by a NUL */
};

/* Called with each name; blanks and dots at its end, which some systems do not see, are off. */
typedef void (*attachment_fn)(void *ctx, const char *name, size_t n);

/* The next line, without its line end; whole 0: only its beginning.  1, or 0 when memory ran out. */
int attachment_line(struct attachment_scan *a, const char *line, size_t n, int whole, attachment_fn fn, void *ctx) MUST_CHECK;
void attachment_free(struct attachment_scan *a);

#endif
