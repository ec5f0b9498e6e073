/* ident: see ident.h. */
#include "super/ident.h"

#include "base/bytes.h"
#include "base/fd.h"
#include "base/iodeadline.h"
#include "base/scan.h"
#include "base/substdio.h"
#include "net/connect.h"

#define IDENT_PORT 113
#define REPLY_MAX 1000
#define USER_MAX 255

/* The next field up to sep, blanks around it taken off; moves s and n behind it. */
static size_t field(const char **s, size_t *n, char sep, const char **text) {
  size_t len = bytes_chr(*s, *n, sep);
  const char *begin = *s, *end = *s + len;

  *s += len;
  *n -= len;
  if (*n) {
    ++*s;
    --*n;
  }
  while (begin < end && (*begin == ' ' || *begin == '\t')) ++begin;
  while (end > begin && (end[-1] == ' ' || end[-1] == '\t')) --end;
  *text = begin;
  return (size_t)(end - begin);
}

static int is_port(const char *s, size_t n, uint16_t want) {
  uint16_t port;

  return scan_port(s, n, &port) && port == want;
}

int ident_parse(const char *s, size_t n, uint16_t theirs, uint16_t ours, stralloc *user) {
  const char *text;
  size_t len;

  while (n && (s[n - 1] == '\n' || s[n - 1] == '\r')) --n;
  len = field(&s, &n, ',', &text);
  if (!is_port(text, len, theirs)) return 0;
  len = field(&s, &n, ':', &text);
  if (!is_port(text, len, ours)) return 0;
  len = field(&s, &n, ':', &text);
  if (!bytes_equal(text, len, "USERID", 6)) return 0;
  field(&s, &n, ':', &text);
  while (n && (*s == ' ' || *s == '\t')) {
    ++s;
    --n;
  }
  if (!n || n > USER_MAX || !bytes_isgraph(s, n)) return 0;
  return stralloc_copyb(user, s, n) ? 1 : -1;
}

static int query(int fd, uint16_t theirs, uint16_t ours, deadline when, stralloc *reply) {
  struct iodeadline io = {.fd = fd, .when = when, .session = DEADLINE_NEVER};
  char outbuf[64], inbuf[128];
  substdio out, in;
  int match;

  substdio_init(&out, iodeadline_write, &io, outbuf, sizeof outbuf);
  substdio_init(&in, iodeadline_read, &io, inbuf, sizeof inbuf);
  if (substdio_putu64(&out, theirs) == -1 || substdio_putlit(&out, " , ") == -1 ||
      substdio_putu64(&out, ours) == -1 || substdio_putflush(&out, "\r\n", 2) == -1)
    return -1;
  return getln(&in, reply, &match, '\n', REPLY_MAX);
}

int ident_ask(const struct ip *remote, uint16_t remote_port, const struct ip *local, uint16_t local_port,
              deadline when, stralloc *user) {
  stralloc reply = STRALLOC_INIT;
  int fd = connect_tcp(remote, IDENT_PORT, local, when);
  int r = 0;

  if (fd == -1) return 0;
  if (query(fd, remote_port, local_port, when, &reply) == 0)
    r = ident_parse(stralloc_cstr(&reply), reply.len, remote_port, local_port, user);
  fd_close(fd);
  stralloc_free(&reply);
  return r;
}
