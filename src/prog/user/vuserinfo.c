/* vuserinfo: prints what is known of a virtual user. */
#include <string.h>

#include "base/options.h"
#include "user/user_report.h"

#define FATAL "vuserinfo: fatal: "
#define USAGE "vuserinfo [-anpugcdqlm] [--json] user@domain"
#define COLUMN 14

static int json;
static struct option_word words[] = {{"json", &json}, {0, 0}};

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

static const struct {
  char letter;
  unsigned bits;
} letters[] = {{'a', SHOW_ALL},   {'n', SHOW_NAME}, {'p', SHOW_PASSWD}, {'u', SHOW_UID},  {'g', SHOW_GID},
               {'c', SHOW_GECOS}, {'d', SHOW_DIR},  {'q', SHOW_QUOTA},  {'l', SHOW_LAST}, {'m', SHOW_MAILBOX}};
#define LETTERS (sizeof letters / sizeof *letters)

static void get_user(struct site *s, const char *arg, const struct address *a, struct userdb_user *u) {
  struct strerr e;
  enum userdb_result r = site_enter_db(s, &e) == 0 ? userdb_user_get(&s->db, a->user.s, a->domain.s, u, &e) : USERDB_TEMPFAIL;

  if (identity_back(r == USERDB_FOUND || r == USERDB_NONE ? 0 : -1, &e) == -1) die(&e);
  if (r == USERDB_NONE) strerr_diem(1, FATAL, arg, ": there is no such user", (char *)0);
}

int main(int argc, char **argv) {
  struct site s;
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  struct userdb_user u = {0};
  struct report r;
  struct strerr e;
  int given[LETTERS] = {0}, i;
  unsigned what = 0;
  struct option options[LETTERS + 2] = {{'-', OPTION_WORDS, words, 0}};

  for (size_t k = 0; k < LETTERS; ++k) options[k + 1] = (struct option){letters[k].letter, OPTION_FLAG, &given[k], 1};
  i = options_or_die(argc, argv, options, USAGE, 1, 1);
  for (size_t k = 0; k < LETTERS; ++k) what |= given[k] ? letters[k].bits : 0;
  if (address_parse(&a, argv[i], strlen(argv[i])) != 1)
    strerr_diem(100, FATAL, argv[i], ": an address user@domain is wanted", (char *)0);
  if (site_load(&s, &e) == -1) die(&e);
  get_user(&s, argv[i], &a, &u);
  report_start(&r, json, 0, COLUMN);
  report_record(&r);
  if (user_report(&s, &u, what ? what : SHOW_ALL, &r, &e) == -1 || report_finish(&r, 1, &e) == -1) die(&e);
  userdb_user_free(&u);
  address_free(&a);
  site_close(&s);
  return 0;
}
