/* signatures: how encoded attachments begin that are refused, signatures(5).
 *
 *   text[:comment][:-blackhole]
 *
 * text is compared with the first line of the body and of each part of it, that is, each line behind
 * an empty one: at least 9 characters, as base64 has them.  Pure. */
#ifndef MAIL_SIGNATURES_H
#define MAIL_SIGNATURES_H

#include "base/strerr.h"
#include "base/stralloc.h"
#include "base/strlist.h"

#define SIGNATURE_MIN 9

struct signature {
  stralloc text, comment;
  int blackhole; /* the message is accepted and thrown away */
};
struct signatures {
  struct signature *one;
  size_t len;
};

/* Of lines.  where names them in errors.  0, or -1 with e filled; signatures_free in any case. */
int signatures_compile(struct signatures *s, const char *where, const struct strlist *lines, struct strerr *e) MUST_CHECK;
/* Number of the first one that the line begins with, + 1; 0 for none. */
size_t signatures_match(const struct signatures *s, const char *line, size_t n);
void signatures_free(struct signatures *s);

#endif
