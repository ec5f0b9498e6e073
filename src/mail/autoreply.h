/* autoreply: whether a message may be answered automatically, and with what (RFC 3834).  Pure.
 *
 * Not answered are: mail from nobody, from programs and from lists, by its sender or by its header;
 * what was answered automatically itself; what is not addressed to us by name. */
#ifndef MAIL_AUTOREPLY_H
#define MAIL_AUTOREPLY_H

#include <stdint.h>

#include "base/stralloc.h"

struct autoreply {
  const char *sender, *recipient; /* of the envelope; not null */
  int lax;                        /* it need not be addressed to us by name */
  int named;                      /* it is */
  const char *against;            /* why not to answer it; null: nothing so far */
  stralloc subject, from, to, cc, date, messid, references; /* bodies of fields, unfolded */
};

/* $RECIPIENT as the sender of the message wrote it: of a virtual user example.com-joe@example.com
 * without the example.com- that qmail-local works with.  Borrowed. */
const char *autoreply_recipient(const char *recipient);
/* One field of the header, with its line end: 1, or 0 without memory. */
int autoreply_field(struct autoreply *a, const char *s, size_t n) MUST_CHECK;
/* The header is over: null when it is to be answered, else why not. */
const char *autoreply_against(const struct autoreply *a);

struct autoreply_answer {
  const char *from;    /* address; "": the recipient */
  const char *name;    /* display name, or "" */
  const char *subject; /* instead of prefix and subject, or null */
  const char *prefix;
  const char *type;    /* of the text */
  const char *host;    /* ours */
  int64_t now;
  uint64_t unique;     /* with now: makes the Message-ID */
};
/* Header and text of the answer: %S stands for the subject, %D for the date, %F From, %T To, %C Cc, %M the
 * Message-ID of the message; %r for its sender, %R for its recipient, %m our host, %d today, %t the time,
 * %% for %.  1, or 0 without memory. */
int autoreply_compose(const struct autoreply *a, const struct autoreply_answer *w, const char *text, size_t n, stralloc *out) MUST_CHECK;
void autoreply_free(struct autoreply *a);

#endif
