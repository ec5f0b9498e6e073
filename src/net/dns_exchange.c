/* dns_exchange: see dns_exchange.h. */
#include "net/dns_exchange.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/wait.h"

#define TRIES 2
#define UDP_SIZE 1232 /* what we say we take over UDP: fits everywhere without fragments */
#define TRY_SECONDS 10
#define MESSAGE_MAX 65535
#define HEADER 12
#define OPT_SIZE 11

/* RFC 6891 6.1.2: root, OPT, our size, nothing else. */
static const unsigned char opt[OPT_SIZE] = {0, 0, 41, UDP_SIZE >> 8, UDP_SIZE & 255};

int dns_question(struct __res_state *r, const char *name, int type, unsigned char *q) {
  int n = res_nmkquery(r, ns_o_query, name, ns_c_in, type, 0, 0, 0, q, DNS_QUESTION_MAX - OPT_SIZE);

  if (n < HEADER) return -1;
  if (getrandom(q, 2, GRND_NONBLOCK) != 2) return n; /* the library has put an id there */
  q[3] |= 0x20; /* AD: RFC 6840 5.7 */
  q[11] = 1;    /* additional records */
  memcpy(q + n, opt, OPT_SIZE);
  return n + OPT_SIZE;
}

static size_t question_end(const unsigned char *q, size_t n) {
  return q[11] ? n - OPT_SIZE : n;
}

/* Is it the answer to our question, and not somebody's guess? */
static int answers(const unsigned char *q, size_t n, const stralloc *a) {
  size_t end = question_end(q, n);
  const unsigned char *m = (const unsigned char *)a->s;

  if (a->len < end || memcmp(m, q, 2) || !(m[2] & 0x80) || m[4] != 0 || m[5] != 1) {
    /* a server may leave the question out where it found it malformed */
    return a->len >= HEADER && !memcmp(m, q, 2) && m[2] & 0x80 && !m[4] && !m[5] && (m[3] & 15) == ns_r_formerr;
  }
  return bytes_caseequal(a->s + HEADER, (const char *)q + HEADER, end - HEADER);
}

static int is_better(const stralloc *a) {
  unsigned rcode = (unsigned char)a->s[3] & 15;

  return rcode == ns_r_noerror || rcode == ns_r_nxdomain;
}

static int receive(int fd, deadline when, size_t size, stralloc *a) {
  ssize_t n;

  for (;;) {
    if (wait_fd(fd, POLLIN, when) == -1) return -1;
    n = recv(fd, a->s, size, MSG_DONTWAIT);
    if (n >= 0) break;
    if (errno != EAGAIN && errno != EINTR) return -1;
  }
  a->len = (size_t)n;
  a->s[n] = 0;
  return 0;
}

/* 0, or -1 with errno. */
static int over_udp(int fd, const unsigned char *q, size_t n, deadline when, stralloc *a) {
  if (send(fd, q, n, MSG_NOSIGNAL) != (ssize_t)n) return -1;
  do
    if (receive(fd, when, UDP_SIZE, a) == -1) return -1;
  while (!answers(q, n, a));
  return 0;
}

static int receive_all(int fd, size_t n, deadline when, stralloc *a) {
  stralloc part = STRALLOC_INIT;
  int r = stralloc_ready(&part, n) ? 0 : -1;

  while (r == 0 && n) {
    r = receive(fd, when, n, &part);
    if (r == 0 && !part.len) {
      errno = EPROTO;
      r = -1;
    }
    if (r == 0 && !stralloc_catb(a, part.s, part.len)) r = -1;
    n -= part.len;
  }
  stralloc_free(&part);
  return r;
}

static int over_tcp(int fd, const unsigned char *q, size_t n, deadline when, stralloc *a) {
  unsigned char message[2 + DNS_QUESTION_MAX] = {(unsigned char)(n >> 8), (unsigned char)n};
  size_t size;

  memcpy(message + 2, q, n);
  if (wait_fd(fd, POLLOUT, when) == -1 || send(fd, message, n + 2, MSG_NOSIGNAL) != (ssize_t)n + 2) return -1;
  stralloc_cut(a, 0);
  if (receive_all(fd, 2, when, a) == -1) return -1;
  size = (size_t)(unsigned char)a->s[0] << 8 | (unsigned char)a->s[1];
  stralloc_cut(a, 0);
  if (receive_all(fd, size, when, a) == -1) return -1;
  if (answers(q, n, a)) return 0;
  errno = EPROTO;
  return -1;
}

/* Ask one server over a socket of this type. */
static int ask_over(const struct sockaddr *to, socklen_t len, int type, const unsigned char *q, size_t n, deadline when,
                    stralloc *a) {
  int fd = socket(to->sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int r = -1;

  if (fd == -1) return -1;
  if (connect(fd, to, len) == 0 || errno == EINPROGRESS)
    r = type == SOCK_DGRAM ? over_udp(fd, q, n, when, a) : over_tcp(fd, q, n, when, a);
  fd_close(fd);
  return r;
}

static int ask(const struct sockaddr *to, socklen_t len, const unsigned char *q, size_t n, deadline when, stralloc *a) {
  int r = ask_over(to, len, SOCK_DGRAM, q, n, when, a);

  if (r == 0 && (a->s[3] & 15) == ns_r_formerr && q[11]) { /* of before EDNS */
    unsigned char plain[DNS_QUESTION_MAX];

    n = question_end(q, n);
    memcpy(plain, q, n);
    plain[11] = 0;
    r = ask_over(to, len, SOCK_DGRAM, plain, n, when, a);
    if (r == 0 && a->s[2] & 0x02) r = ask_over(to, len, SOCK_STREAM, plain, n, when, a);
    return r;
  }
  return r == 0 && a->s[2] & 0x02 ? ask_over(to, len, SOCK_STREAM, q, n, when, a) : r;
}

/* Where the library keeps the addresses of servers: IPv6 in an extension. */
static const struct sockaddr *server(const struct __res_state *r, int i, socklen_t *len) {
  if (r->nsaddr_list[i].sin_family == AF_INET) {
    *len = sizeof r->nsaddr_list[i];
    return (const struct sockaddr *)&r->nsaddr_list[i];
  }
  *len = sizeof *r->_u._ext.nsaddrs[i];
  return (const struct sockaddr *)r->_u._ext.nsaddrs[i];
}

int dns_exchange(const struct __res_state *r, const unsigned char *q, size_t n, deadline when, stralloc *answer) {
  stralloc got = STRALLOC_INIT;
  int r_best = -1;

  if (!stralloc_ready(&got, MESSAGE_MAX)) return -1;
  errno = ETIMEDOUT;
  for (int i = 0; i < TRIES * r->nscount; ++i) {
    deadline now = mono_now(), left = when == DEADLINE_NEVER ? 60 * NS_PER_S : when - now;
    deadline share = left / (TRIES * r->nscount - i);
    socklen_t len;
    const struct sockaddr *to = server(r, i % r->nscount, &len);

    if (share > TRY_SECONDS * NS_PER_S) share = TRY_SECONDS * NS_PER_S;
    if (left <= 0) break;
    if (!to || ask(to, len, q, n, now + share, &got) == -1) continue;
    if (r_best == -1 || is_better(&got)) r_best = stralloc_copy(answer, &got) ? 0 : -1;
    if (is_better(&got)) break;
  }
  stralloc_free(&got);
  return r_best;
}
