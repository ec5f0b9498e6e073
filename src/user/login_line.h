/* login_line: the client's lines, one at a time and never a byte further: what follows
 * the last line we need belongs to the mail server that takes over the descriptor, or
 * to TLS. */
#ifndef USER_LOGIN_LINE_H
#define USER_LOGIN_LINE_H

#include <stddef.h>

#include "base/now.h"
#include "base/stralloc.h"

#define LOGIN_LINE_MAX 24576 /* a token of OAuth as base64 */

enum login_read {
  LOGIN_READ_OK,
  LOGIN_READ_LONG, /* the line was longer than max; it has been skipped */
  LOGIN_READ_END,  /* the client is gone, or out of time */
};

/* Append a line without its LF and CR.  A socket is looked at before it is read;
 * anything else is read byte by byte. */
enum login_read login_line_read(int fd, stralloc *line, size_t max, deadline when) MUST_CHECK;
/* Append exactly n bytes. */
enum login_read login_line_bytes(int fd, stralloc *out, size_t n, deadline when) MUST_CHECK;

#endif
