/* vacation: sets up a virtual user's vacation reply; without arguments, as a line of a .qmail file,
 * gives it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/now.h"
#include "base/options.h"
#include "base/spawn.h"
#include "conf/paths.h"
#include "user/lookup.h"
#include "user/vacation.h"

#define FATAL "vacation: fatal: "
#define USAGE "vacation [-v] user@domain file|-|+"
#define DAY "86400"

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

static const char *need(const char *name) {
  const char *value = env_get(name);

  if (!value) strerr_diem(100, FATAL, "$", name, " is not set: without arguments I am for .qmail files", (char *)0);
  return value;
}

/* The home of the user a message is being delivered to. */
static void find_home(stralloc *home) {
  struct lookup lookup = LOOKUP_INIT;
  struct lookup_account account = {0};
  struct strlist aliases = {0};
  stralloc address = STRALLOC_INIT;
  struct conf conf;
  struct strerr e;

  if (conf_load(&conf, CONF_LOCAL, &e) == -1) strerr_die(111, FATAL, &e);
  if (!stralloc_catm(&address, need("EXT"), "@", need("HOST"), (char *)0)) strerr_die_nomem(FATAL);
  switch (lookup_account(&lookup, address.s, deadline_in((int64_t)conf_number(&conf, SET_timeoutread)), &account, &aliases, &e)) {
    case LOOKUP_FOUND: break;
    case LOOKUP_NONE: strerr_diem(100, FATAL, address.s, ": there is no such user", (char *)0);
    case LOOKUP_TEMPFAIL: strerr_die(111, FATAL, &e);
  }
  if (!stralloc_copy(home, &account.home)) strerr_die_nomem(FATAL);
}

/* Become autoresponder: it reads the message, and what may be answered is its business. */
static void answer(void) {
  stralloc home = STRALLOC_INIT, message = STRALLOC_INIT, answered = STRALLOC_INIT, program = STRALLOC_INIT;
  struct strerr e;

  need("SENDER");
  need("RECIPIENT");
  find_home(&home);
  if (!stralloc_catm(&message, home.s, VACATION_MESSAGE, (char *)0) || !stralloc_catm(&answered, home.s, VACATION_ANSWERED, (char *)0) ||
      !paths_program("autoresponder", &program))
    strerr_die_nomem(FATAL);
  if (access(message.s, F_OK) == -1 && errno == ENOENT) _exit(0); /* nothing is set up */
  {
    char *argv[] = {program.s, (char *)"-q", (char *)"-t", (char *)DAY, message.s, answered.s, 0};
    struct spawn s = {.path = program.s, .argv = argv};

    for (int fd = 0; fd <= 2; ++fd) spawn_move(&s, fd, fd);
    if (spawn_exec(&s, &e) == -1) strerr_die(111, FATAL, &e);
  }
}

int main(int argc, char **argv) {
  int verbose = 0;
  const struct option options[] = {{'v', OPTION_COUNT, &verbose, 0}, {0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 0, 2);
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  const char *charset = env_get("CHARSET");
  stralloc text = STRALLOC_INIT;
  struct site s;
  struct strerr e;
  int on;

  if (argc == 1) answer();
  if (argc - i != 2) strerr_die_usage(USAGE);
  if (charset && !*charset) charset = 0;
  if (charset && !vacation_charset_ok(charset)) strerr_diem(100, FATAL, "$CHARSET is not the name of a character set", (char *)0);
  if (site_address(argv[i], &a, &e) == -1) die(&e);
  on = vacation_read(argv[i + 1], &text, &e);
  if (on == -1 || site_load(&s, &e) == -1 || vacation_set(&s, &a, on ? &text : 0, on ? charset : 0, &e) == -1) die(&e);
  if (verbose) strerr_warnm("", on ? "vacation reply for " : "no vacation reply for ", argv[i], (char *)0);
  stralloc_free(&text);
  address_free(&a);
  site_close(&s);
  return 0;
}
