/* login_pop3: see login_pop3.h. */
#include "user/login_pop3.h"

#include <string.h>

#include "base/bytes.h"
#include "mail/client_attributes.h"
#include "user/login_peer.h"
#include "user/login_sasl.h"

enum next { STAY, END };

struct session {
  struct login *l;
  char *arg;    /* of the command under way, "" if none */
  int has_user; /* USER was given */
};

static enum next say(struct session *s, const char *text) {
  stralloc line = STRALLOC_INIT;
  int r = stralloc_catm(&line, text, "\r\n", (char *)0) ? login_say(s->l, line.s, line.len) : -1;

  stralloc_free(&line);
  return r == -1 ? END : STAY;
}

static enum next fault(struct session *s, const char *text) {
  if (++s->l->faults > LOGIN_FAULTS_MAX) {
    say(s, "-ERR too many bad commands");
    return END;
  }
  return say(s, text);
}

static enum next do_capa(struct session *s) {
  stralloc t = STRALLOC_INIT;
  enum next n = END;

  if (stralloc_cats(&t, "+OK what I can do\r\nTOP\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n") &&
      (!login_may_tls(s->l) || stralloc_cats(&t, "STLS\r\n")) &&
      (!login_may_plaintext(s->l) || (stralloc_cats(&t, "USER\r\nSASL") && login_sasl_list(s->l, " ", &t) &&
                                    stralloc_cats(&t, "\r\n"))) &&
      (!login_peer_is_proxy(s->l) || stralloc_cats(&t, "XCLIENT\r\n")) &&
      stralloc_cats(&t, "."))
    n = say(s, t.s);
  stralloc_free(&t);
  return n;
}

static enum next do_noop(struct session *s) {
  return say(s, "+OK");
}

static enum next do_quit(struct session *s) {
  say(s, "+OK goodbye");
  return END;
}

static enum next do_stls(struct session *s) {
  struct strerr e;

  if (!login_may_tls(s->l)) return say(s, s->l->tls ? "-ERR TLS is active already" : "-ERR STLS is not offered here");
  if (say(s, "+OK begin TLS negotiation now") == END || login_tls(s->l, &e) == -1) return END;
  s->has_user = 0; /* what was said before TLS is forgotten */
  return STAY;
}

static enum next refused(struct session *s) {
  stralloc text = STRALLOC_INIT;
  enum next n = stralloc_catm(&text, "-ERR [SYS/PERM] ", s->l->why.s, (char *)0) ? say(s, text.s) : END;

  stralloc_free(&text);
  return n;
}

/* What a login has come to that did not become the mail server. */
static enum next conclude(struct session *s, enum login_verdict v) {
  s->has_user = 0;
  switch (v) {
    case LOGIN_WRONG: return say(s, "-ERR [AUTH] wrong user or password");
    case LOGIN_TOO_MANY: say(s, "-ERR [AUTH] wrong user or password"); return END;
    case LOGIN_TEMPFAIL: say(s, "-ERR [SYS/TEMP] unable to log in now, try again later"); return END;
    case LOGIN_REFUSED: return refused(s);
    case LOGIN_NO_MECHANISM: return say(s, "-ERR unknown mechanism");
    case LOGIN_WANTS_TLS: return say(s, "-ERR no password without TLS");
    case LOGIN_CANCELLED: return say(s, "-ERR cancelled");
    case LOGIN_MALFORMED: return fault(s, "-ERR malformed response");
    case LOGIN_GONE: return END;
  }
  return END;
}

static enum next do_user(struct session *s) {
  if (!login_may_plaintext(s->l)) return conclude(s, LOGIN_WANTS_TLS);
  if (!*s->arg) return fault(s, "-ERR USER wants a name");
  if (!stralloc_copys(&s->l->user, s->arg)) return END;
  s->has_user = 1;
  return say(s, "+OK now the password");
}

/* The rest of the line is the password, blanks included. */
static enum next do_pass(struct session *s) {
  if (!login_may_plaintext(s->l)) return conclude(s, LOGIN_WANTS_TLS);
  if (!s->has_user) return fault(s, "-ERR USER first");
  if (!stralloc_copys(&s->l->password, s->arg)) return END;
  return conclude(s, login_try(s->l, ""));
}

/* Bare AUTH lists the mechanisms, as clients older than CAPA ask. */
static enum next list_mechanisms(struct session *s) {
  stralloc t = STRALLOC_INIT;
  enum next n = stralloc_cats(&t, "+OK") && login_sasl_list(s->l, "\r\n", &t) && stralloc_cats(&t, "\r\n.") ? say(s, t.s) : END;

  stralloc_free(&t);
  return n;
}

static enum next do_auth(struct session *s) {
  stralloc words = STRALLOC_INIT; /* the line is used for the client's answers */
  enum login_verdict v = LOGIN_GONE;

  if (!*s->arg) return list_mechanisms(s);
  if (stralloc_copys(&words, s->arg)) {
    size_t n = strcspn(words.s, " ");
    const char *initial = words.s[n] ? words.s + n + 1 : 0;

    words.s[n] = 0;
    v = login_sasl(s->l, words.s, initial, "");
  }
  stralloc_wipe(&words);
  stralloc_free(&words);
  return conclude(s, v);
}

static enum next take_client(struct session *s, const struct client_attributes *a) {
  const char *port = a->given & CLIENT_BIT(CLIENT_PORT) ? stralloc_cstr(&a->value[CLIENT_PORT]) : 0;

  switch (login_peer_set(s->l, stralloc_cstr(&a->value[CLIENT_ADDR]), port)) {
    case 1: return say(s, "+OK");
    case 0: return fault(s, "-ERR XCLIENT wants an address");
    default: return END;
  }
}

/* XCLIENT ADDR=... PORT=...: a proxy says for whom it speaks. */
static enum next do_xclient(struct session *s) {
  struct client_attributes a = {.given = 0};
  enum next n = END;

  if (!login_peer_is_proxy(s->l)) return fault(s, "-ERR unknown command, or not before login");
  switch (client_attributes_parse(s->arg, strlen(s->arg), CLIENT_BIT(CLIENT_ADDR) | CLIENT_BIT(CLIENT_PORT), &a)) {
    case 1: n = take_client(s, &a); break;
    case 0: n = fault(s, "-ERR XCLIENT wants ADDR=address and PORT=number"); break;
    default: break;
  }
  client_attributes_free(&a);
  return n;
}

static const struct {
  const char *name;
  enum next (*run)(struct session *);
} commands[] = {
    {"CAPA", do_capa}, {"NOOP", do_noop}, {"QUIT", do_quit}, {"STLS", do_stls},
    {"USER", do_user}, {"PASS", do_pass}, {"AUTH", do_auth},
    {"XCLIENT", do_xclient},
};

static enum next command(struct session *s) {
  stralloc *line = &s->l->line;
  size_t n;

  switch (login_read_line(s->l)) {
    case LOGIN_READ_OK: break;
    case LOGIN_READ_LONG: return fault(s, "-ERR the line is too long");
    case LOGIN_READ_END: return END;
  }
  if (!line->s || bytes_chr(line->s, line->len, 0) != line->len) return fault(s, "-ERR malformed command");
  n = strcspn(line->s, " ");
  s->arg = line->s + n + (line->s[n] == ' ');
  line->s[n] = 0;
  for (size_t i = 0; i < sizeof commands / sizeof *commands; ++i)
    if (str_caseequal(line->s, commands[i].name)) return commands[i].run(s);
  return fault(s, "-ERR unknown command, or not before login");
}

const struct login_protocol login_pop3_protocol = {
    .service = "pop3",
    .implicit = SET_pop3s,
    .uses_tag = 0,
};

void login_pop3(struct login *l, const char *tag) {
  struct session s = {.l = l};
  enum next n = STAY;

  if (*tag) n = conclude(&s, login_resumed(l));
  else n = say(&s, "+OK POP3 server ready");
  while (n == STAY) n = command(&s);
}
