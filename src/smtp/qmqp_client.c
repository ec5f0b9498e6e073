/* qmqp_client: see qmqp_client.h. */
#include "smtp/qmqp_client.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/fmt.h"
#include "base/iodeadline.h"
#include "base/netstring.h"
#include "base/scan.h"
#include "net/connect.h"
#include "queue/exitcodes.h"

#define ANSWER_MAX 1000

int qmqp_server_scan(const char *s, size_t n, struct ip *ip, uint16_t *port) {
  size_t host = n, skip = 0, rest;
  uint64_t u = *port;

  if (n && *s == '[') {
    skip = 1;
    host = bytes_chr(s, n, ']');
    rest = host + 1;
    if (host == n || (rest < n && s[rest] != ':')) return 0;
  } else {
    host = bytes_chr(s, n, ':');
    rest = host;
    if (host < n && bytes_chr(s + host + 1, n - host - 1, ':') < n - host - 1) host = rest = n; /* IPv6 */
  }
  if (rest < n && (!scan_u64_max(s + rest + 1, n - rest - 1, UINT16_MAX, &u) || !u)) return 0;
  if (!ip_scan(s + skip, host - skip, ip)) return 0;
  *port = (uint16_t)u;
  return 1;
}

/* The envelope as netstrings behind each other. */
static int format_envelope(stralloc *out, const struct envelope *env) {
  int ok = netstring_cat(out, stralloc_cstr(&env->sender), env->sender.len);

  for (size_t i = 0; ok && i < env->recipients.len; ++i)
    ok = netstring_cat(out, stralloc_cstr(&env->recipients.item[i]), env->recipients.item[i].len);
  return ok;
}

static int put_head(substdio *out, uint64_t len) {
  return substdio_putu64(out, len) == 0 && substdio_putlit(out, ":") == 0 ? 0 : -1;
}

static int put_packet(substdio *out, const stralloc *message, const stralloc *envelope) {
  char digits[FMT_U64];
  uint64_t all = fmt_u64(digits, message->len) + 1 + message->len + 1 + envelope->len;

  if (put_head(out, all) == -1 || put_head(out, message->len) == -1 ||
      substdio_put(out, stralloc_cstr(message), message->len) == -1 || substdio_putlit(out, ",") == -1 ||
      substdio_put(out, envelope->s, envelope->len) == -1)
    return -1;
  return substdio_putflush(out, ",", 1);
}

/* What the first byte of the answer means. */
static const struct {
  char letter;
  int code;
} answers[] = {{'K', QQ_queued}, {'Z', QQ_deferred}, {'D', QQ_refused}};

static int read_answer(substdio *in, stralloc *text, struct strerr *e) {
  uint64_t left = UINT64_MAX;
  int r = netstring_get(in, &left, ANSWER_MAX, text);

  for (size_t i = 0; r == 1 && text->len && i < sizeof answers / sizeof *answers; ++i)
    if (text->s[0] == answers[i].letter) return answers[i].code;
  if (r == 1 || errno == EPROTO || errno == EMSGSIZE) strerr_set(e, "the server does not speak QMQP", (char *)0);
  else if (r == 0) strerr_set(e, "the server has closed the connection", (char *)0);
  else strerr_sys(e, "connection lost", (char *)0);
  return QQ_connect_lost;
}

static int talk(int fd, const struct conf *conf, const stralloc *message, const stralloc *envelope, stralloc *text,
                struct strerr *e) {
  struct iodeadline io = {.fd = fd, .when = deadline_in((int64_t)conf_number(conf, SET_timeoutremote)), .session = DEADLINE_NEVER};
  char outbuf[8192], inbuf[512];
  substdio out, in;

  substdio_init(&out, iodeadline_write, &io, outbuf, sizeof outbuf);
  substdio_init(&in, iodeadline_read, &io, inbuf, sizeof inbuf);
  if (put_packet(&out, message, envelope) == -1) {
    strerr_sys(e, "connection lost", (char *)0);
    return QQ_connect_lost;
  }
  return read_answer(&in, text, e);
}

/* A connection, or -1 with *code. */
static int connect_to(const char *server, const struct conf *conf, int *code, struct strerr *e) {
  const char *own = conf_line(conf, SET_outgoingip);
  uint16_t port = (uint16_t)conf_number(conf, SET_port_qmqp);
  struct ip to, from;
  int has_from = *own && ip_scan(own, strlen(own), &from);
  int fd;

  *code = QQ_config;
  if (!qmqp_server_scan(server, strlen(server), &to, &port)) {
    strerr_set(e, "not an address of a QMQP server: ", server, (char *)0);
    return -1;
  }
  fd = connect_tcp(&to, port, has_from ? &from : 0, deadline_in((int64_t)conf_number(conf, SET_timeoutconnect)));
  if (fd != -1) return fd;
  *code = errno == ETIMEDOUT ? QQ_connect_timeout : QQ_connect_refused;
  strerr_sys(e, "unable to connect to ", server, (char *)0);
  return -1;
}

int qmqp_send(const struct strlist *servers, const struct conf *conf, const stralloc *message, const struct envelope *env,
              stralloc *text, struct strerr *e) {
  stralloc envelope = STRALLOC_INIT;
  int code = QQ_config;
  int fd = -1;

  strerr_set(e, "no QMQP server is named: control/qmqpservers is empty", (char *)0);
  if (!format_envelope(&envelope, env)) {
    stralloc_free(&envelope);
    errno = ENOMEM;
    strerr_sys(e, "unable to send", (char *)0);
    return QQ_memory;
  }
  for (size_t i = 0; fd == -1 && i < servers->len; ++i) fd = connect_to(stralloc_cstr(&servers->item[i]), conf, &code, e);
  if (fd != -1) code = talk(fd, conf, message, &envelope, text, e);
  fd_close(fd);
  stralloc_free(&envelope);
  return code;
}
