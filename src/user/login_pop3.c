/* login_pop3: see login_pop3.h. */
#include "user/login_pop3.h"

#include <string.h>

#include "base/bytes.h"

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
      (!login_may_plaintext(s->l) || stralloc_cats(&t, "USER\r\nSASL PLAIN LOGIN\r\n")) && stralloc_cats(&t, "."))
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

static enum next try_login(struct session *s) {
  s->has_user = 0;
  switch (login_try(s->l, "")) {
    case LOGIN_WRONG: return say(s, "-ERR [AUTH] wrong user or password");
    case LOGIN_TOO_MANY: say(s, "-ERR [AUTH] wrong user or password"); return END;
    case LOGIN_TEMPFAIL: say(s, "-ERR [SYS/TEMP] unable to log in now, try again later"); return END;
  }
  return END;
}

static enum next no_plaintext(struct session *s) {
  return say(s, "-ERR no password without TLS");
}

static enum next do_user(struct session *s) {
  if (!login_may_plaintext(s->l)) return no_plaintext(s);
  if (!*s->arg) return fault(s, "-ERR USER wants a name");
  if (!stralloc_copys(&s->l->user, s->arg)) return END;
  s->has_user = 1;
  return say(s, "+OK now the password");
}

/* The rest of the line is the password, blanks included. */
static enum next do_pass(struct session *s) {
  if (!login_may_plaintext(s->l)) return no_plaintext(s);
  if (!s->has_user) return fault(s, "-ERR USER first");
  if (!stralloc_copys(&s->l->password, s->arg)) return END;
  return try_login(s);
}

static enum next do_auth(struct session *s) {
  stralloc mechanism = STRALLOC_INIT;
  size_t n = strcspn(s->arg, " ");
  enum login_sasl r;

  if (!*s->arg) return say(s, login_may_plaintext(s->l) ? "+OK\r\nPLAIN\r\nLOGIN\r\n." : "+OK\r\n.");
  if (!login_may_plaintext(s->l)) return no_plaintext(s);
  s->has_user = 0;
  /* The line is reused for the client's answers. */
  if (!stralloc_copyb(&mechanism, s->arg, n)) return END;
  if (s->arg[n]) {
    stralloc initial = STRALLOC_INIT;

    r = stralloc_copys(&initial, s->arg + n + 1) ? login_sasl(s->l, mechanism.s, initial.s) : LOGIN_SASL_END;
    stralloc_wipe(&initial);
  } else {
    r = login_sasl(s->l, mechanism.s, 0);
  }
  stralloc_free(&mechanism);
  switch (r) {
    case LOGIN_SASL_OK: return try_login(s);
    case LOGIN_SASL_UNKNOWN: return say(s, "-ERR unknown mechanism");
    case LOGIN_SASL_CANCEL: return say(s, "-ERR cancelled");
    case LOGIN_SASL_BAD: return fault(s, "-ERR malformed response");
    case LOGIN_SASL_END: return END;
  }
  return END;
}

static const struct {
  const char *name;
  enum next (*run)(struct session *);
} commands[] = {
    {"CAPA", do_capa}, {"NOOP", do_noop}, {"QUIT", do_quit}, {"STLS", do_stls},
    {"USER", do_user}, {"PASS", do_pass}, {"AUTH", do_auth},
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

static void failed(struct login *l, const char *tag) {
  (void)!login_says(l, "-ERR [AUTH] wrong user or password\r\n");
}

const struct login_protocol login_pop3_protocol = {
    .service = "pop3",
    .name = "pop3login",
    .implicit = SET_pop3s,
    .uses_tag = 0,
    .failed = failed,
};

void login_pop3(struct login *l, const char *tag) {
  struct session s = {.l = l};
  enum next n = STAY;

  if (*tag) failed(l, tag);
  else n = say(&s, "+OK POP3 server ready");
  while (n == STAY) n = command(&s);
}
