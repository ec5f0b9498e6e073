/* starttls: see starttls.h. */
#include "user/starttls.h"

#include <string.h>

#include "base/bytes.h"
#include "base/iodeadline.h"
#include "user/login_line.h"

#define LINE_MAX 1024
#define FAULTS_MAX 10
#define TAG_MAX 64

struct command {
  const char *verb; /* null: any other */
  const char *untagged; /* before the reply, or "" */
  const char *reply;    /* % stands for our name */
  enum starttls_next next;
};

struct starttls_protocol {
  const char *name, *greeting;
  int tagged;
  const struct command *commands;
};

static const struct command smtp[] = {
    {"EHLO", "", "250-%\r\n250 STARTTLS\r\n", STARTTLS_STAY},
    {"HELO", "", "250 %\r\n", STARTTLS_STAY},
    {"NOOP", "", "250 2.0.0 fine\r\n", STARTTLS_STAY},
    {"RSET", "", "250 2.0.0 fine\r\n", STARTTLS_STAY},
    {"QUIT", "", "221 2.0.0 goodbye\r\n", STARTTLS_END},
    {"STARTTLS", "", "220 2.0.0 begin TLS negotiation now\r\n", STARTTLS_BEGIN},
    {0, "", "530 5.7.0 say STARTTLS first\r\n", STARTTLS_FAULT},
};
static const struct command pop3[] = {
    {"CAPA", "", "+OK what I can do\r\nSTLS\r\n.\r\n", STARTTLS_STAY},
    {"NOOP", "", "+OK\r\n", STARTTLS_STAY},
    {"QUIT", "", "+OK goodbye\r\n", STARTTLS_END},
    {"STLS", "", "+OK begin TLS negotiation now\r\n", STARTTLS_BEGIN},
    {0, "", "-ERR say STLS first\r\n", STARTTLS_FAULT},
};
static const struct command imap[] = {
    {"CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n", "OK done\r\n", STARTTLS_STAY},
    {"NOOP", "", "OK done\r\n", STARTTLS_STAY},
    {"LOGOUT", "* BYE goodbye\r\n", "OK done\r\n", STARTTLS_END},
    {"STARTTLS", "", "OK begin TLS negotiation now\r\n", STARTTLS_BEGIN},
    {0, "", "NO [PRIVACYREQUIRED] say STARTTLS first\r\n", STARTTLS_FAULT},
};

static const struct starttls_protocol protocols[] = {
    {"smtp", "220 % ESMTP\r\n", 0, smtp},
    {"pop3", "+OK POP3 server ready\r\n", 0, pop3},
    {"imap", "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] IMAP server ready\r\n", 1, imap},
};

const struct starttls_protocol *starttls_find(const char *name) {
  for (size_t i = 0; i < sizeof protocols / sizeof *protocols; ++i)
    if (!strcmp(protocols[i].name, name)) return &protocols[i];
  return 0;
}

static int put(stralloc *out, const char *text, const char *host) {
  for (; *text; ++text)
    if (!(*text == '%' ? stralloc_cats(out, host) : stralloc_append(out, *text))) return 0;
  return 1;
}

static int is_tag(const char *s, size_t n) {
  if (!n || n > TAG_MAX) return 0;
  for (size_t i = 0; i < n; ++i)
    if ((unsigned char)s[i] <= 32 || (unsigned char)s[i] >= 127 || strchr("(){%*\"\\+", s[i])) return 0;
  return 1;
}

enum starttls_next starttls_command(const struct starttls_protocol *p, const char *line, const char *host, stralloc *out) {
  size_t tag = p->tagged ? strcspn(line, " ") : 0;
  const char *verb = line + tag + (p->tagged && line[tag] == ' ');
  size_t n = strcspn(verb, " ");
  const struct command *c = p->commands;

  if (p->tagged && (!is_tag(line, tag) || !n)) return stralloc_cats(out, "* BAD malformed command\r\n") ? STARTTLS_FAULT : STARTTLS_END;
  while (c->verb && !(strlen(c->verb) == n && bytes_caseequal(verb, c->verb, n))) ++c;
  if (!put(out, c->untagged, host) || (p->tagged && (!stralloc_catb(out, line, tag) || !stralloc_append(out, ' '))) || !put(out, c->reply, host))
    return STARTTLS_END;
  return c->next;
}

static int send_all(int fd, stralloc *text, deadline when) {
  struct iodeadline io = {.fd = fd, .when = when, .session = DEADLINE_NEVER};
  size_t sent = 0;

  while (sent < text->len) {
    ssize_t w = iodeadline_write(&io, text->s + sent, text->len - sent);

    if (w <= 0) return -1;
    sent += (size_t)w;
  }
  stralloc_cut(text, 0);
  return 0;
}

/* The next command's outcome, its reply in out. */
static enum starttls_next next(const struct starttls_protocol *p, int in, const char *host, deadline when, stralloc *line, stralloc *out) {
  stralloc_cut(line, 0);
  switch (login_line_read(in, line, LINE_MAX, when)) {
    case LOGIN_READ_OK: break;
    case LOGIN_READ_LONG: stralloc_cut(line, 0); break; /* as a command nobody knows */
    case LOGIN_READ_END: return STARTTLS_END;
  }
  return starttls_command(p, stralloc_cstr(line), host, out);
}

int starttls_dialogue(const struct starttls_protocol *p, int in, int out, const char *host, deadline when) {
  stralloc line = STRALLOC_INIT, reply = STRALLOC_INIT;
  enum starttls_next n = put(&reply, p->greeting, host) ? STARTTLS_STAY : STARTTLS_END;
  unsigned faults = 0;

  for (;;) {
    if (send_all(out, &reply, when) == -1) n = STARTTLS_END;
    if (n == STARTTLS_FAULT && ++faults > FAULTS_MAX) n = STARTTLS_END;
    if (n == STARTTLS_END || n == STARTTLS_BEGIN) break;
    n = next(p, in, host, when, &line, &reply);
  }
  stralloc_wipe(&line); /* it may have been a password, too early */
  stralloc_free(&line);
  stralloc_free(&reply);
  return n == STARTTLS_BEGIN;
}

int starttls_greeting_ends(const struct starttls_protocol *p, const char *line) {
  return p->commands != smtp || strlen(line) < 4 || line[3] != '-';
}
