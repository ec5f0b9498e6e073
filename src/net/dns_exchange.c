/* dns_exchange: see dns_exchange.h. */
#include "net/dns_exchange.h"

#include <errno.h>
#include <net/if.h>
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
#define NAME_MAX_BYTES 253
#define LABEL_MAX 63
#define CLASS_IN 1
#define NOERROR 0 /* RFC 1035 4.1.1 */
#define FORMERR 1
#define NXDOMAIN 3

/* RFC 6891 6.1.2: root, OPT, our size, nothing else. */
static const unsigned char opt[OPT_SIZE] = {0, 0, 41, UDP_SIZE >> 8, UDP_SIZE & 255};

/* An address, with %interface behind one that is local to a link. */
static int read_server(const char *s, size_t n, struct sockaddr_storage *sa) {
  size_t percent = bytes_chr(s, n, '%');
  char name[IF_NAMESIZE] = "";
  struct ip ip;

  if (!ip_scan(s, percent, &ip)) return 0;
  ip_to_sockaddr(&ip, DNS_PORT, sa);
  if (percent == n || ip.family != AF_INET6) return percent == n;
  if (n - percent - 1 >= sizeof name) return 0;
  memcpy(name, s + percent + 1, n - percent - 1);
  ((struct sockaddr_in6 *)sa)->sin6_scope_id = if_nametoindex(name);
  return 1;
}

static void read_line(struct dns *d, const char *s, size_t n) {
  static const char word[] = "nameserver";
  size_t w = sizeof word - 1, end;

  if (d->servers == DNS_SERVERS || n <= w || memcmp(s, word, w) || (s[w] != ' ' && s[w] != '\t')) return;
  while (w < n && (s[w] == ' ' || s[w] == '\t')) ++w;
  for (end = w; end < n && !memchr(" \t\r#;", s[end], 5);) ++end;
  if (read_server(s + w, end - w, &d->server[d->servers])) ++d->servers;
}

void dns_servers_parse(struct dns *d, const char *text, size_t n) {
  d->servers = 0;
  while (n) {
    size_t line = bytes_chr(text, n, '\n');

    read_line(d, text, line);
    line += line < n;
    text += line;
    n -= line;
  }
  if (!d->servers) (void)read_server("127.0.0.1", 9, &d->server[d->servers++]);
}

/* Labels, each with its length before it: how many bytes, 0 when it cannot be a name. */
static size_t put_name(const char *name, unsigned char *to) {
  size_t n = strlen(name), used = 0;

  if (n && name[n - 1] == '.') --n;
  if (n > NAME_MAX_BYTES) return 0;
  while (n) {
    size_t label = bytes_chr(name, n, '.');

    if (!label || label > LABEL_MAX || label + 1 == n) return 0;
    to[used++] = (unsigned char)label;
    memcpy(to + used, name, label);
    used += label;
    name += label + (label < n);
    n -= label + (label < n);
  }
  to[used++] = 0;
  return used;
}

int dns_question(const char *name, int type, unsigned char *q) {
  size_t n;

  memset(q, 0, HEADER);
  if (getrandom(q, 2, 0) != 2) return -1;
  q[2] = 0x01;  /* recursion desired */
  q[3] = 0x20;  /* AD: RFC 6840 5.7 */
  q[5] = 1;     /* questions */
  q[11] = 1;    /* additional records */
  n = put_name(name, q + HEADER);
  if (!n) return -1;
  n += HEADER;
  memcpy(q + n, (const unsigned char[]){(unsigned char)(type >> 8), (unsigned char)type, 0, CLASS_IN}, 4);
  memcpy(q + n + 4, opt, OPT_SIZE);
  return (int)n + 4 + OPT_SIZE;
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
    return a->len >= HEADER && !memcmp(m, q, 2) && m[2] & 0x80 && !m[4] && !m[5] && (m[3] & 15) == FORMERR;
  }
  return bytes_caseequal(a->s + HEADER, (const char *)q + HEADER, end - HEADER);
}

static int is_better(const stralloc *a) {
  unsigned rcode = (unsigned char)a->s[3] & 15;

  return rcode == NOERROR || rcode == NXDOMAIN;
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

  if (r == 0 && (a->s[3] & 15) == FORMERR && q[11]) { /* of before EDNS */
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

int dns_exchange(const struct dns *d, const unsigned char *q, size_t n, deadline when, stralloc *answer) {
  stralloc got = STRALLOC_INIT;
  int r_best = -1;

  if (!stralloc_ready(&got, MESSAGE_MAX)) return -1;
  errno = ETIMEDOUT;
  for (int i = 0; i < TRIES * (int)d->servers; ++i) {
    deadline now = mono_now(), left = when == DEADLINE_NEVER ? 60 * NS_PER_S : when - now;
    deadline share = left / (TRIES * (int)d->servers - i);
    const struct sockaddr_storage *to = &d->server[(size_t)i % d->servers];
    socklen_t len = to->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

    if (share > TRY_SECONDS * NS_PER_S) share = TRY_SECONDS * NS_PER_S;
    if (left <= 0) break;
    if (ask((const struct sockaddr *)to, len, q, n, now + share, &got) == -1) continue;
    if (r_best == -1 || is_better(&got)) r_best = stralloc_copy(answer, &got) ? 0 : -1;
    if (is_better(&got)) break;
  }
  stralloc_free(&got);
  return r_best;
}
