/* authindi: a module between imaplogin or pop3login and the mail server, for virtual users. */
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/options.h"
#include "base/sigfd.h"
#include "user/authmod.h"
#include "user/login_imap.h"
#include "user/login_pop3.h"
#include "user/login_run.h"

#define NAME "authindi"
#define FATAL NAME ": fatal: "
#define USAGE NAME " [module ...] server Maildir"
#define SERVER_WORDS 2
#define VERIFY_SECONDS 20
#define TEMPORARY 111

/* What we know the servers of, and how their protocols say that it does not work now. */
static const struct service {
  const char *name;
  const struct login_protocol *protocol;
  const char *trouble;
} services[] = {
    {"imap", &login_imap_protocol, " NO [UNAVAILABLE] unable to log in now, try again later\r\n"},
    {"pop3", &login_pop3_protocol, "-ERR [SYS/TEMP] unable to log in now, try again later\r\n"},
};

static const struct service *find(const char *name) {
  for (size_t i = 0; i < sizeof services / sizeof *services; ++i)
    if (!strcmp(services[i].name, name)) return &services[i];
  return 0;
}

static void give_up(struct login *l, const struct service *s, const char *tag) {
  if (s->protocol->uses_tag) (void)!login_says(l, tag);
  (void)!login_says(l, s->trouble);
  (void)!login_flush(l);
  _exit(TEMPORARY);
}

/* Nobody is left who could let the user in. */
static void log_failed(const struct login *l, const char *user) {
  const struct log_arg arg[] = {log_s(user), log_s(l->remote.s), log_s(l->tls ? "yes" : "no")};

  login_log(l, LOG_login_failed, arg, sizeof arg / sizeof *arg);
}

/* 1 when it is a matter of the next module; 0 when nobody else is to be asked: the user is who it says, but
 * may not come in. */
static int try_user(const struct authmod *m, const struct service *s, char **argv, int argc) {
  /* To what it runs the server is the first argument. */
  char **tail = argv + argc - SERVER_WORDS - 1;
  struct lookup_account a = {.inactive = 0};
  stralloc tag = STRALLOC_INIT;
  struct conf conf;
  struct login l;
  struct strerr e;
  enum lookup_verdict v;

  if (conf_load(&conf, CONF_LOGIN, &e) == -1 || login_start(&l, NAME, s->protocol, &conf, SERVER_WORDS + 1, tail, &tag, &e) == -1)
    strerr_die(TEMPORARY, FATAL, &e);
  v = lookup_verify(&l.lookup, m->field[2], m->field[3], s->name, l.remote.s, deadline_in(VERIFY_SECONDS), &a, &e);
  if (v == LOOKUP_TEMPFAIL) login_trouble(&l, &e);
  if (v == LOOKUP_FOUND) (void)!login_accept(&l, &a, m->field[2], stralloc_cstr(&tag));
  if (v != LOOKUP_NONE) give_up(&l, s, stralloc_cstr(&tag));
  if (*e.text) (void)!login_reject(&l, m->field[2], e.text);
  else if (argc == SERVER_WORDS + 1) log_failed(&l, m->field[2]);
  lookup_account_free(&a);
  stralloc_free(&tag);
  login_free(&l);
  conf_free(&conf);
  return !*e.text;
}

/* Somebody else has let the user in, and AUTHADDR says whom.  A tag is what IMAP has. */
static void run_server(char **argv, int argc) {
  const struct service *s = find(env_get("IMAPLOGINTAG") ? "imap" : "pop3");
  stralloc tag = STRALLOC_INIT;
  struct conf conf;
  struct login l;
  struct strerr e;

  if (conf_load(&conf, CONF_LOGIN, &e) == -1 ||
      login_start(&l, NAME, s->protocol, &conf, SERVER_WORDS + 1, argv + argc - SERVER_WORDS - 1, &tag, &e) == -1)
    strerr_die(TEMPORARY, FATAL, &e);
  (void)!login_run_for_module(&l, &e);
  strerr_die(TEMPORARY, FATAL, &e);
}

int main(int argc, char **argv) {
  const struct option options[] = {{0, OPTION_FLAG, 0, 0}};
  const struct service *s;
  struct authmod m;
  struct strerr e;

  if (options_or_die(argc, argv, options, USAGE, SERVER_WORDS, -1) != 1) strerr_die_usage(USAGE);
  sig_ignore_pipe();
  if (env_get("AUTHADDR")) run_server(argv, argc);
  if (authmod_read(&m)) {
    authmod_wipe(&m);
    return AUTHMOD_MISUSE;
  }
  s = find(m.field[0]);
  if (s && authmod_has_password(&m) && !try_user(&m, s, argv, argc)) argc = 0;
  (void)!authmod_next(&m, argv, argc, &e);
  strerr_die(TEMPORARY, NAME ": ", &e);
}
