/* store_imap: a login to an IMAP server (RFC 3501) for somebody else: capabilities, STARTTLS, who the
 * client is (ID, RFC 2971), AUTHENTICATE PLAIN where the server has it, else LOGIN with literals. */
#include <string.h>
#include <strings.h>

#include "base/fmt.h"
#include "user/store.h"

#define LINES_MAX 100    /* untagged, before an answer */
#define BEFORE_MAX 16384 /* bytes of them for the client; more are dropped */

struct dialogue {
  struct store *s;
  const struct store_place *p;
  const struct store_user *u;
  struct strerr *e;
  stralloc capabilities;
};

static int starts(const stralloc *line, const char *with) {
  return line->len >= strlen(with) && !strncasecmp(line->s, with, strlen(with));
}

static int note_capabilities(struct dialogue *d, const char *text) {
  return stralloc_copys(&d->capabilities, text) ? 0 : strerr_set(d->e, "out of memory", (char *)0);
}

static int has(const struct dialogue *d, const char *word) {
  return store_has_word(stralloc_cstr(&d->capabilities), word);
}

/* An untagged line: it may say something to the client, who gets those of our last command. */
static int take_untagged(struct dialogue *d) {
  const stralloc *line = &d->s->line;
  stralloc *before = &d->s->before;

  if (starts(line, "* CAPABILITY ")) return note_capabilities(d, line->s + strlen("* CAPABILITY "));
  if (!starts(line, "* ") || before->len + line->len > BEFORE_MAX) return 0;
  return stralloc_cat(before, line) && stralloc_cats(before, "\r\n") ? 0 : strerr_set(d->e, "out of memory", (char *)0);
}

/* Lines up to the answer to "p": 0, it is in s->line; 1, the server asks us to go on; -1. */
static int answer(struct dialogue *d) {
  stralloc_cut(&d->s->before, 0);
  for (int i = 0; i < LINES_MAX; ++i) {
    if (store_read(d->s, d->e) == -1) return -1;
    if (starts(&d->s->line, "p ")) return 0;
    if (starts(&d->s->line, "+")) return 1;
    if (starts(&d->s->line, "* BYE")) break;
    if (take_untagged(d) == -1) return -1;
  }
  store_odd(d->s, d->e);
  return -1;
}

/* A command that has to succeed. */
static int command(struct dialogue *d, const char *text) {
  if (store_say(d->s, d->e, "p ", text, (char *)0) == -1 || answer(d) != 0) return -1;
  if (starts(&d->s->line, "p OK")) return 0;
  store_odd(d->s, d->e);
  return -1;
}

static int greeted(struct dialogue *d) {
  static const char with[] = "* OK [CAPABILITY ";

  if (store_read(d->s, d->e) == -1) return -1;
  if (!starts(&d->s->line, "* OK")) {
    store_odd(d->s, d->e);
    return -1;
  }
  return starts(&d->s->line, with) ? note_capabilities(d, d->s->line.s + strlen(with)) : command(d, "CAPABILITY");
}

static int start_tls(struct dialogue *d) {
  if (d->p->tls != STORE_STARTTLS) return 0;
  if (!has(d, "STARTTLS")) return strerr_set(d->e, "the mail store offers no STARTTLS", (char *)0);
  if (command(d, "STARTTLS") == -1 || store_tls(d->s, d->p, d->e) == -1) return -1;
  return command(d, "CAPABILITY"); /* what was said before counts no more */
}

static int say_client(struct dialogue *d) {
  const struct store_user *u = d->u;

  if (d->p->client != STORE_CLIENT_SAID || !has(d, "ID")) return 0;
  if (store_say(d->s, d->e, "p ID (\"name\" \"IndiMail\" \"x-originating-ip\" \"", u->ip, "\" \"x-originating-port\" \"",
                *u->port ? u->port : "0", "\")", (char *)0) == -1)
    return -1;
  return answer(d) == 0 ? 0 : -1;
}

/* The server is ready for text of n bytes: "{n}". */
static int literal(struct dialogue *d, const char *before, const char *text) {
  char size[FMT_U64 + 1];

  if (store_say(d->s, d->e, before, " {", fmt_u64_z(size, strlen(text)), "}", (char *)0) == -1) return -1;
  if (answer(d) == 1) return 0;
  store_odd(d->s, d->e);
  return -1;
}

static int say_login(struct dialogue *d) {
  if (literal(d, "p LOGIN", d->u->user) == -1 || literal(d, d->u->user, d->u->password) == -1) return -1;
  return store_say(d->s, d->e, d->u->password, (char *)0) == 0 ? answer(d) : -1;
}

static int say_plain(struct dialogue *d) {
  const int at_once = has(d, "SASL-IR");
  stralloc text = STRALLOC_INIT;
  int r = store_plain(d->u, &text, d->e);

  if (r == 0) r = store_say(d->s, d->e, "p AUTHENTICATE PLAIN", at_once ? " " : "", at_once ? text.s : "", (char *)0);
  if (r == 0) r = answer(d);
  if (r == 1) r = !at_once && store_say(d->s, d->e, text.s, (char *)0) == 0 ? answer(d) : -1;
  stralloc_wipe(&text);
  stralloc_free(&text);
  return r;
}

/* What the answer means; codes are those of RFC 5530. */
static enum store_verdict judge(struct dialogue *d) {
  static const char *const later[] = {"UNAVAILABLE", "INUSE", "SERVERBUG", "LIMIT"};
  static const char *const refused[] = {"AUTHORIZATIONFAILED", "EXPIRED", "CONTACTADMIN", "PRIVACYREQUIRED"};
  const char *line = d->s->line.s + strlen("p ");

  if (starts(&d->s->line, "p OK")) return STORE_IN;
  if (!starts(&d->s->line, "p NO")) return store_odd(d->s, d->e);
  for (size_t i = 0; i < sizeof later / sizeof *later; ++i)
    if (store_has_word(line, later[i])) return store_odd(d->s, d->e);
  for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i)
    if (store_has_word(line, refused[i])) return STORE_REFUSED;
  return STORE_WRONG;
}

enum store_verdict store_imap(struct store *s, const struct store_place *p, const struct store_user *u, struct strerr *e) {
  struct dialogue d = {.s = s, .p = p, .u = u, .e = e};
  enum store_verdict v = STORE_TEMPFAIL;

  if (greeted(&d) == 0 && start_tls(&d) == 0 && say_client(&d) == 0) {
    int r = has(&d, "AUTH=PLAIN") ? say_plain(&d) : say_login(&d);

    if (r == 0) v = judge(&d);
    else if (r == 1) v = store_odd(s, e);
  }
  stralloc_free(&d.capabilities);
  return v;
}
