/* proxy_read: see proxy_read.h. */
#include "net/proxy_read.h"

#include <errno.h>
#include <string.h>

int proxy_read(struct iodeadline *io, struct proxy_header *h, const char **why) {
  char buf[PROXY_HEADER_MAX];
  size_t n = 0, want;
  enum proxy_verdict v;

  while ((v = proxy_header_parse(buf, n, h, &want)) == PROXY_MORE) {
    ssize_t r = iodeadline_read(io, buf + n, want);

    if (r <= 0) {
      *why = r == 0 ? "connection closed before a PROXY header" : strerror(errno);
      return -1;
    }
    n += (size_t)r;
  }
  *why = "no PROXY header";
  return v == PROXY_BAD ? -1 : 0;
}
