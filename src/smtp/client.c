/* client: see client.h. */
#include "smtp/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/scan.h"

#define BLOCK 65536
#define REPLY_LINE_MAX 4096
#define REPLY_LINES_MAX 512
#define REPLY_TEXT_MAX 5000

static int wait_for(const struct smtp_client *c, short events) {
  for (;;) {
    struct pollfd p = {.fd = c->fd, .events = events};
    int r = poll(&p, 1, deadline_poll_ms(c->when, mono_now()));

    if (r > 0) return 0;
    if (r == 0) {
      errno = ETIMEDOUT;
      return -1;
    }
    if (errno != EINTR) return -1;
  }
}

/* The socket itself waits for as long as a whole reply may take (SO_RCVTIMEO), which is right
 * for the first read after a command; only a reply that comes in drips needs more calls. */
static ssize_t read_socket(void *ctx, char *buf, size_t len) {
  const struct smtp_client *c = ctx;

  for (;;) {
    deadline left = c->when - mono_now();
    ssize_t r;

    if ((!c->timeout || left < ((deadline)c->timeout - 1) * NS_PER_S) && wait_for(c, POLLIN) == -1) return -1;
    r = recv(c->fd, buf, len, 0);
    if (r >= 0 || (errno != EINTR && errno != EAGAIN)) return r;
    if (mono_now() >= c->when) {
      errno = ETIMEDOUT;
      return -1;
    }
  }
}

static ssize_t write_socket(void *ctx, char *buf, size_t len) {
  const struct smtp_client *c = ctx;

  for (;;) {
    ssize_t w = send(c->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (w >= 0 || (errno != EINTR && errno != EAGAIN)) return w;
    if (errno == EAGAIN && wait_for(c, POLLOUT) == -1) return -1;
  }
}

void smtp_client_init(struct smtp_client *c, int fd, uint64_t timeout) {
  struct timeval tv = {.tv_sec = (time_t)timeout};

  memset(c, 0, offsetof(struct smtp_client, inbuf));
  c->fd = fd;
  c->timeout = timeout;
  (void)!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
  substdio_init(&c->in, read_socket, c, c->inbuf, sizeof c->inbuf);
  substdio_init(&c->out, write_socket, c, c->outbuf, sizeof c->outbuf);
}

static void start_clock(struct smtp_client *c) {
  c->when = deadline_in((int64_t)c->timeout);
}

static int lost(struct strerr *e) {
  return strerr_sys(e, "connection died", (char *)0);
}

/* One reply line: its code and whether more follow. */
static int parse_line(const stralloc *line, int *more) {
  uint64_t code;

  if (line->len < 4 || !scan_u64(line->s, 3, &code) || code < 200 || code > 599) return -1;
  if (!strchr(" -\r\n", line->s[3])) return -1;
  *more = line->s[3] == '-';
  return (int)code;
}

static int keep(struct smtp_client *c, const stralloc *line) {
  if (c->reply.len + line->len > REPLY_TEXT_MAX) return 1;
  if (!stralloc_cat(&c->reply, line)) return 0;
  stralloc_chomp(&c->reply);
  return stralloc_append(&c->reply, '\n');
}

int smtp_client_reply(struct smtp_client *c, struct strerr *e) {
  stralloc line = STRALLOC_INIT;
  int code = -1;
  int more = 1;

  stralloc_cut(&c->reply, 0);
  start_clock(c);
  if (substdio_flush(&c->out) == -1) return lost(e);
  for (int lines = 0; more; ++lines) {
    int match;

    stralloc_cut(&line, 0);
    if (lines > REPLY_LINES_MAX || getln(&c->in, &line, &match, '\n', REPLY_LINE_MAX) == -1) {
      code = lost(e);
      break;
    }
    if (!match) {
      code = strerr_set(e, "connection closed by remote host", (char *)0);
      break;
    }
    code = parse_line(&line, &more);
    if (code == -1) {
      strerr_set(e, "remote host does not speak SMTP", (char *)0);
      break;
    }
    if (!keep(c, &line)) {
      code = strerr_sys(e, "out of memory", (char *)0);
      break;
    }
  }
  stralloc_free(&line);
  return code;
}

int smtp_client_send(struct smtp_client *c, const char *verb, const char *argument, struct strerr *e) {
  start_clock(c);
  if (substdio_puts(&c->out, verb) == -1 || substdio_puts(&c->out, argument) == -1 ||
      substdio_putlit(&c->out, "\r\n") == -1)
    return lost(e);
  return 0;
}

int smtp_client_command(struct smtp_client *c, const char *verb, const char *argument, struct strerr *e) {
  if (smtp_client_send(c, verb, argument, e) == -1) return -1;
  return smtp_client_reply(c, e);
}

static const struct {
  const char *keyword;
  unsigned bit;
} keywords[] = {
    {"PIPELINING", SMTP_PIPELINING},
    {"SIZE", SMTP_SIZE},
    {"8BITMIME", SMTP_8BITMIME},
    {"STARTTLS", SMTP_STARTTLS},
    {"DSN", SMTP_DSN},
    {"SMTPUTF8", SMTP_UTF8},
    {"MT-PRIORITY", SMTP_MT_PRIORITY},
    {"DELIVERBY", SMTP_DELIVERBY},
    {"REQUIRETLS", SMTP_REQUIRETLS},
};

/* Notes the keyword of one EHLO line, given without code and separator. */
static void note(struct smtp_client *c, const char *s, size_t n) {
  size_t word = bytes_chr(s, n, ' ');

  for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; ++i)
    if (strlen(keywords[i].keyword) == word && bytes_caseequal(keywords[i].keyword, s, word)) {
      c->capabilities |= keywords[i].bit;
      if (keywords[i].bit == SMTP_SIZE && word < n && !scan_u64(s + word + 1, n - word - 1, &c->size_limit))
        c->size_limit = 0;
    }
}

int smtp_client_hello(struct smtp_client *c, const char *name, struct strerr *e) {
  int code = smtp_client_command(c, "EHLO ", name, e);
  size_t pos;

  c->capabilities = 0;
  c->size_limit = 0;
  if (code == -1) return -1;
  if (code >= 300) return smtp_client_command(c, "HELO ", name, e);
  pos = bytes_chr(c->reply.s, c->reply.len, '\n') + 1; /* the first line is the greeting */
  while (pos < c->reply.len) {
    size_t n = bytes_chr(c->reply.s + pos, c->reply.len - pos, '\n');

    if (n > 4) note(c, c->reply.s + pos + 4, n - 4);
    pos += n + 1;
  }
  return code;
}

/* Sends bytes of the message, keeping track of where in a line they are. */
struct body {
  int at_start; /* of a line */
  int cr;       /* the last byte was a CR not sent yet */
};

static int put_byte(substdio *out, struct body *b, char ch) {
  if (b->cr && ch != '\n') { /* a lone CR becomes a line end */
    if (substdio_putlit(out, "\r\n") == -1) return -1;
    b->at_start = 1;
  }
  b->cr = ch == '\r';
  if (b->cr) return 0;
  if (ch == '\n') {
    b->at_start = 1;
    return substdio_putlit(out, "\r\n");
  }
  if (b->at_start && ch == '.' && substdio_put(out, ".", 1) == -1) return -1;
  b->at_start = 0;
  return substdio_put(out, &ch, 1);
}

/* How many bytes from s on go out as they are. */
static size_t plain(const char *s, size_t n) {
  size_t i = 0;

  while (i < n && s[i] != '\n' && s[i] != '\r') ++i;
  return i;
}

static int put_text(struct smtp_client *c, struct body *b, const char *s, size_t n) {
  start_clock(c);
  while (n) {
    size_t run = b->cr || (b->at_start && s[0] == '.') ? 0 : plain(s, n);

    if (run) {
      if (substdio_put(&c->out, s, run) == -1) return -1;
      b->at_start = 0;
    } else {
      if (put_byte(&c->out, b, s[0]) == -1) return -1;
      run = 1;
    }
    s += run;
    n -= run;
  }
  return 0;
}

int smtp_client_message(struct smtp_client *c, const struct smtp_message *m, struct strerr *e) {
  struct body b = {.at_start = 1};
  char buf[BLOCK];
  off_t pos = (off_t)m->have;
  ssize_t n;

  if (put_text(c, &b, m->head, strlen(m->head)) == -1 || put_text(c, &b, m->text, m->have) == -1) return lost(e);
  while (!m->whole && (n = pread(m->fd, buf, sizeof buf, pos)) != 0) {
    if (n == -1 && errno == EINTR) continue;
    if (n == -1) return strerr_sys(e, "unable to read message", (char *)0);
    if (put_text(c, &b, buf, (size_t)n) == -1) return lost(e);
    pos += n;
  }
  if ((b.cr || !b.at_start) && substdio_putlit(&c->out, "\r\n") == -1) return lost(e);
  if (substdio_putlit(&c->out, ".\r\n") == -1 || substdio_flush(&c->out) == -1) return lost(e);
  return 0;
}

void smtp_client_close(struct smtp_client *c) {
  c->fd = fd_close(c->fd);
  stralloc_free(&c->reply);
}
