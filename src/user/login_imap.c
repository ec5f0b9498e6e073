/* login_imap: see login_imap.h. */
#include "user/login_imap.h"

#include <string.h>

#include "base/bytes.h"
#include "user/imap_command.h"
#include "user/login_peer.h"
#include "user/login_sasl.h"
#include "user/mail_server.h"

/* Whether the session goes on after a command. */
enum next { STAY, END };

struct session {
  struct login *l;
  struct imap_command c;
};

/* Text from pieces, ended by CR LF: 0 or -1. */
static int say(struct login *l, const char *a, const char *b, const char *c) {
  stralloc s = STRALLOC_INIT;
  int r = stralloc_catm(&s, a, b, c, "\r\n", (char *)0) ? login_say(l, s.s, s.len) : -1;

  stralloc_free(&s);
  return r;
}

/* The answer to the command under way. */
static enum next tagged(struct session *s, const char *text) {
  return say(s->l, stralloc_cstr(&s->c.tag), " ", text) == -1 ? END : STAY;
}

static enum next untagged(struct session *s, const char *text) {
  return say(s->l, "* ", text, "") == -1 ? END : STAY;
}

static enum next fault(struct session *s, const char *text) {
  const char *tag = s->c.tag.len ? s->c.tag.s : "*";

  if (++s->l->faults > LOGIN_FAULTS_MAX) {
    untagged(s, "BYE too many bad commands");
    return END;
  }
  return say(s->l, tag, " BAD ", text) == -1 ? END : STAY;
}

/* What the mail server will offer, and how to log in here and now. */
static int capabilities(const struct login *l, stralloc *out) {
  return stralloc_cats(out, mail_server_capability(l->server)) && stralloc_cats(out, " ID LITERAL+ SASL-IR") &&
         (!login_may_tls(l) || stralloc_cats(out, " STARTTLS")) &&
         (login_may_plaintext(l) ? login_sasl_list(l, " AUTH=", out) : stralloc_cats(out, " LOGINDISABLED"));
}

static enum next do_capability(struct session *s) {
  stralloc text = STRALLOC_INIT;
  enum next n = capabilities(s->l, &text) && say(s->l, "* CAPABILITY ", text.s, "") == 0
                    ? tagged(s, "OK CAPABILITY completed")
                    : END;

  stralloc_free(&text);
  return n;
}

static enum next do_noop(struct session *s) {
  return tagged(s, "OK NOOP completed");
}

static enum next do_logout(struct session *s) {
  if (untagged(s, "BYE logging out") == STAY) tagged(s, "OK LOGOUT completed");
  return END;
}

/* The value of a field of ID, or null. */
static const char *id_field(const struct session *s, const char *name) {
  unsigned n = s->c.args < IMAP_ARGS_MAX ? s->c.args : IMAP_ARGS_MAX;

  for (unsigned i = 0; i + 1 < n; i += 2)
    if (str_caseequal(stralloc_cstr(&s->c.arg[i]), name)) return stralloc_cstr(&s->c.arg[i + 1]);
  return 0;
}

/* ID (RFC 2971); proxies say with it for whom they speak, in two fields that have become usual. */
static enum next do_id(struct session *s) {
  const char *ip = id_field(s, "x-originating-ip");

  if (ip && login_peer_is_proxy(s->l)) switch (login_peer_set(s->l, ip, id_field(s, "x-originating-port"))) {
      case 1: break;
      case 0: return fault(s, "x-originating-ip is not an address");
      default: return END;
    }
  return untagged(s, "ID (\"name\" \"IndiMail\")") == STAY ? tagged(s, "OK ID completed") : END;
}

static enum next do_starttls(struct session *s) {
  struct strerr e;

  if (s->c.args) return fault(s, "STARTTLS has no arguments");
  if (!login_may_tls(s->l)) return tagged(s, s->l->tls ? "BAD TLS is active already" : "NO STARTTLS is not offered here");
  if (tagged(s, "OK begin TLS negotiation now") == END || login_tls(s->l, &e) == -1) return END;
  return STAY;
}

static enum next refused(struct session *s) {
  return say(s->l, stralloc_cstr(&s->c.tag), " NO [CONTACTADMIN] ", s->l->why.s) == -1 ? END : STAY;
}

/* What a login has come to that did not become the mail server. */
static enum next conclude(struct session *s, enum login_verdict v) {
  switch (v) {
    case LOGIN_WRONG: return tagged(s, "NO [AUTHENTICATIONFAILED] wrong user or password");
    case LOGIN_TOO_MANY:
      if (untagged(s, "BYE too many wrong passwords") == STAY)
        tagged(s, "NO [AUTHENTICATIONFAILED] wrong user or password");
      return END;
    case LOGIN_TEMPFAIL:
      if (untagged(s, "BYE the mailbox is not available now") == STAY)
        tagged(s, "NO [UNAVAILABLE] unable to log in now, try again later");
      return END;
    case LOGIN_REFUSED: return refused(s);
    case LOGIN_NO_MECHANISM: return tagged(s, "NO unknown mechanism");
    case LOGIN_WANTS_TLS: return tagged(s, "NO [PRIVACYREQUIRED] no login without TLS");
    case LOGIN_CANCELLED: return tagged(s, "BAD AUTHENTICATE cancelled");
    case LOGIN_MALFORMED: return fault(s, "malformed response");
    case LOGIN_GONE: return END;
  }
  return END;
}

static enum next do_login(struct session *s) {
  if (!login_may_plaintext(s->l)) return conclude(s, LOGIN_WANTS_TLS);
  if (s->c.args != 2) return fault(s, "LOGIN wants a user name and a password");
  if (!stralloc_copy(&s->l->user, &s->c.arg[0]) || !stralloc_copy(&s->l->password, &s->c.arg[1])) return END;
  return conclude(s, login_try(s->l, stralloc_cstr(&s->c.tag)));
}

static enum next do_authenticate(struct session *s) {
  const char *initial = s->c.args == 2 ? stralloc_cstr(&s->c.arg[1]) : 0;

  if (s->c.args < 1 || s->c.args > 2) return fault(s, "AUTHENTICATE wants a mechanism");
  return conclude(s, login_sasl(s->l, stralloc_cstr(&s->c.arg[0]), initial, stralloc_cstr(&s->c.tag)));
}

static const struct {
  const char *name;
  enum next (*run)(struct session *);
} commands[] = {
    {"CAPABILITY", do_capability}, {"NOOP", do_noop},   {"LOGOUT", do_logout},
    {"ID", do_id},                 {"STARTTLS", do_starttls}, {"LOGIN", do_login},
    {"AUTHENTICATE", do_authenticate},
};

static enum next run(struct session *s) {
  for (size_t i = 0; i < sizeof commands / sizeof *commands; ++i)
    if (str_caseequal(s->c.name.s, commands[i].name)) return commands[i].run(s);
  return fault(s, "unknown command, or not before login");
}

/* Reads the literal announced and the rest of its line. */
static enum imap_parsed read_literal(struct session *s, uint64_t *size, int *sync) {
  struct login *l = s->l;
  stralloc text = STRALLOC_INIT;
  enum imap_parsed p = IMAP_NOMEM;

  if ((!*sync || login_says(l, "+ go on\r\n") == 0) &&
      login_read_bytes(l, &text, (size_t)*size) == LOGIN_READ_OK &&
      login_read_line(l) == LOGIN_READ_OK)
    p = imap_command_literal(&s->c, stralloc_cstr(&text), text.len, stralloc_cstr(&l->line), l->line.len, size, sync);
  stralloc_wipe(&text);
  return p;
}

/* One whole command, literals included, and its execution. */
static enum next command(struct session *s) {
  struct login *l = s->l;
  unsigned literals = 0;
  enum imap_parsed p;
  uint64_t size = 0;
  int sync = 1;

  switch (login_read_line(l)) {
    case LOGIN_READ_OK: break;
    case LOGIN_READ_LONG: imap_command_clear(&s->c); return fault(s, "the line is too long");
    case LOGIN_READ_END: return END;
  }
  p = imap_command_line(&s->c, stralloc_cstr(&l->line), l->line.len, &size, &sync);
  while (p == IMAP_LITERAL) {
    /* A password must not be asked for where it may not be said. */
    if (sync && str_caseequal(s->c.name.s, "LOGIN") && !login_may_plaintext(l)) return conclude(s, LOGIN_WANTS_TLS);
    if (size > IMAP_LITERAL_MAX || ++literals > IMAP_ARGS_MAX) {
      if (sync) return fault(s, "the literal is too long");
      untagged(s, "BYE the literal is too long"); /* it is on its way, and nobody can tell its end */
      return END;
    }
    p = read_literal(s, &size, &sync);
  }
  if (p == IMAP_NOMEM) return END;
  return p == IMAP_DONE ? run(s) : fault(s, "malformed command");
}

static void alert(struct login *l, const char *text) {
  (void)!say(l, "* OK [ALERT] ", text, "");
}

const struct login_protocol login_imap_protocol = {
    .service = "imap",
    .implicit = SET_imaps,
    .uses_tag = 1,
    .alert = alert,
};

static int greet(struct login *l) {
  stralloc text = STRALLOC_INIT;
  int r = capabilities(l, &text) ? say(l, "* OK [CAPABILITY ", text.s, "] IMAP4rev1 server ready") : -1;

  stralloc_free(&text);
  return r;
}

void login_imap(struct login *l, const char *tag) {
  struct session s = {.l = l};
  enum next n = STAY;

  if (*tag) n = stralloc_copys(&s.c.tag, tag) ? conclude(&s, login_resumed(l)) : END;
  else if (greet(l) == -1) n = END;
  while (n == STAY) n = command(&s);
  imap_command_free(&s.c);
}
