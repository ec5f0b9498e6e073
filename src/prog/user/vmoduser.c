/* vmoduser: changes what a virtual user may do, and what is kept of him. */
#include <string.h>

#include "base/fd.h"
#include "base/options.h"
#include "user/account.h"
#include "user/account_change.h"
#include "user/post_handle.h"
#include "user/secret.h"
#include "user/vacation.h"

#define FATAL "vmoduser: fatal: "
#define USAGE                                                                                                      \
  "vmoduser [-vntxudpwsibrao0123e] [-q quota] [-c comment] [-P password] [-h method] [-m mechanism] [-I n] [-l file|-|+]" \
  " user@domain"
#define DATES (void *)(uintptr_t)"no folders by date: a mailbox that splits itself cannot be looked through as one; rules file into folders (vcfilter)"

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

/* Letters of the flags. */
static struct {
  char letter;
  uint32_t flag;
  int given;
} flags[] = {
    {'u', USER_NO_DIALUP, 0},  {'d', USER_NO_PASSWD_CHANGE, 0}, {'p', USER_NO_POP, 0},        {'w', USER_NO_WEBMAIL, 0},
    {'s', USER_NO_SMTP, 0},    {'i', USER_NO_IMAP, 0},          {'b', USER_BOUNCE_MAIL, 0},   {'r', USER_NO_RELAY, 0},
    {'a', USER_DOMAIN_ADMIN, 0}, {'o', USER_OVERRIDE_LIMITS, 0}, {'0', USER_V_USER0, 0},      {'1', USER_V_USER1, 0},
    {'2', USER_V_USER2, 0},    {'3', USER_V_USER3, 0},
};
#define FLAGS (sizeof flags / sizeof *flags)

int main(int argc, char **argv) {
  struct site s;
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  struct account_change c = {0};
  struct userdb_user u = {0};
  struct secret_options secret = {0};
  struct secret made = {STRALLOC_INIT, STRALLOC_INIT};
  stralloc reply = STRALLOC_INIT;
  const char *password = 0, *vacation = 0;
  int verbose = 0, toggle = 0, replies = 0, help = 0, changes;
  struct option options[17 + FLAGS] = {
      {'v', OPTION_COUNT, &verbose, 0},   {'n', OPTION_FLAG, &c.toggle_active, 1}, {'t', OPTION_FLAG, &toggle, 1},
      {'x', OPTION_FLAG, &c.clear, 1},    {'e', OPTION_FLAG, &secret.crypted, 1},  {'q', OPTION_STRING, &c.quota, 0},
      {'c', OPTION_STRING, &c.gecos, 0},  {'P', OPTION_STRING, &password, 0},      {'h', OPTION_STRING, &secret.method, 0},
      {'l', OPTION_STRING, &vacation, 0}, {'m', OPTION_STRING, &secret.mechanism, 0}, {'I', OPTION_U64, &secret.iterations, 10000000},
      {'S', OPTION_STRING, &secret.salt, 0}, {'C', OPTION_FLAG, &secret.clear, 1}, {'H', OPTION_FLAG, &help, 1},
      {'D', OPTION_REFUSED, DATES, 0},
  };
  struct strerr e;
  int i;

  for (size_t k = 0; k < FLAGS; ++k) options[16 + k] = (struct option){flags[k].letter, OPTION_FLAG, &flags[k].given, 1};
  i = options_or_die(argc, argv, options, USAGE, 0, 1);
  if (help) return fd_write_all(1, "usage: " USAGE "\n", sizeof "usage: " USAGE "\n" - 1) == 0 ? 0 : 111;
  for (size_t k = 0; k < FLAGS; ++k) c.flags |= flags[k].given ? flags[k].flag : 0;
  c.how = toggle ? FLAGS_TOGGLE : FLAGS_SET;
  if (c.gecos && !account_gecos_ok(c.gecos))
    strerr_diem(100, FATAL, "a comment has at most 255 characters, no colon and no control character", (char *)0);
  changes = c.gecos || c.quota || c.toggle_active || c.flags || c.clear;
  if (i == argc || (!changes && !password && !vacation)) strerr_die_usage(USAGE);
  if (!password && (secret.crypted || secret.method || secret.mechanism || secret.iterations || secret.salt || secret.clear))
    strerr_diem(100, FATAL, "how to keep a password (-e, -h, -m, -I, -S, -C) is said with one (-P)", (char *)0);
  if (site_address(argv[i], &a, &e) == -1 || site_load(&s, &e) == -1) die(&e);
  /* What is unfit is refused before anything has changed. */
  if (password && secret_make(&secret, &s.conf, (char *)(uintptr_t)password, &made, &e) == -1) die(&e);
  if (vacation && (replies = vacation_read(vacation, &reply, &e)) == -1) die(&e);
  if (changes && account_change(&s, &a, &c, &u, &e) == -1) die(&e);
  if (password && account_passwd(&s, &a, made.hash.s, stralloc_cstr(&made.scram), &e) == -1) die(&e);
  if (vacation && vacation_set(&s, &a, replies ? &reply : 0, 0, &e) == -1) die(&e);
  if (c.quota) {
    struct usage usage;

    if (account_recount(&s, &u, &usage, &e) == -1) die(&e);
  }
  if (verbose) strerr_warnm("", "changed user ", argv[i], (char *)0);
  userdb_user_free(&u);
  secret_free(&made);
  stralloc_free(&reply);
  address_free(&a);
  site_close(&s);
  if (vacation) return 0; /* as it always was, the handle is not for that */
  return post_handle_finish(FATAL, &(struct post_handle){"vmoduser", argv + 1, &s.mail, 0});
}
