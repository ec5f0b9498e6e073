/* vtotp: the secret of a user from whom the service that changes passwords wants a code by time too. */
#include <string.h>
#include <unistd.h>

#include "base/now.h"
#include "base/options.h"
#include "base/substdio.h"
#include "crypt/totp.h"
#include "mail/date.h"
#include "user/outcome.h"
#include "user/site.h"
#include "user/userdb_totp.h"

#define FATAL "vtotp: fatal: "
#define USAGE "vtotp -a|-s|-d user@domain"
#define LINE_MAX_BYTES 64

static char outbuf[1024];
static substdio out;

static void put(const char *s) {
  if (substdio_puts(&out, s) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
}

static void flush(void) {
  if (substdio_flush(&out) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
}

static void want(enum userdb_result r, const struct strerr *e, const char *none) {
  outcome_want(r, &(struct outcome_words){FATAL, 100, none, "the user has a secret: remove it first"}, e);
}

static void put_time(const char *what, int64_t t) {
  char date[DATE_TEXT];

  date_fmt(date, t, "+0000");
  put(what);
  put(date);
  put("\n");
}

static void show(struct site *s, const struct address *a) {
  struct userdb_totp t = {.created = 0};
  struct strerr e;

  want(userdb_totp_get(&s->db, a->user.s, a->domain.s, &t, &e), &e, "the user has no secret");
  put_time("made ", t.created);
  put_time("last code ", t.step * TOTP_PERIOD);
  userdb_totp_free(&t);
}

/* Shown this once. */
static void show_secret(const struct site *s, const struct address *a, const char *secret) {
  stralloc account = STRALLOC_INIT, uri = STRALLOC_INIT;

  if (!stralloc_catm(&account, a->user.s, "@", a->domain.s, (char *)0) || !totp_uri(secret, conf_line(&s->conf, SET_me), account.s, &uri))
    strerr_die_nomem(FATAL);
  put(uri.s);
  put("\n");
  flush();
  explicit_bzero(outbuf, sizeof outbuf);
  stralloc_free(&account);
  stralloc_wipe(&uri);
}

/* The code that shows that somebody has taken the secret over, or nothing. */
static void read_code(stralloc *line) {
  char buf[LINE_MAX_BYTES];
  substdio in;
  int match;

  if (isatty(0)) strerr_warnm("The code it shows now: ", (char *)0);
  substdio_initfd_read(&in, 0, buf, sizeof buf);
  if (getln(&in, line, &match, '\n', LINE_MAX_BYTES) == -1) stralloc_cut(line, 0);
  while (line->len && strchr(" \r\n", line->s[line->len - 1])) stralloc_cut(line, line->len - 1);
}

static void add(struct site *s, const struct address *a) {
  stralloc secret = STRALLOC_INIT, code = STRALLOC_INIT;
  struct userdb_totp has = {.created = 0};
  enum userdb_result r;
  int active, bounce;
  int64_t step;
  struct strerr e;

  want(userdb_user_state(&s->db, a->user.s, a->domain.s, &active, &bounce, &e), &e, "there is no such user");
  r = userdb_totp_get(&s->db, a->user.s, a->domain.s, &has, &e);
  userdb_totp_free(&has);
  if (r != USERDB_NONE) want(r == USERDB_FOUND ? USERDB_EXISTS : r, &e, "");
  if (totp_make(&secret, &e) == -1) strerr_die(111, FATAL, &e);
  show_secret(s, a, stralloc_cstr(&secret));
  read_code(&code);
  if (totp_check(secret.s, stralloc_cstr(&code), code.len, wall_now(), 0, &step) != 1)
    strerr_diem(1, FATAL, "that is not the code: nothing has changed, and this secret is forgotten", (char *)0);
  want(userdb_totp_add(&s->db, a->user.s, a->domain.s, secret.s, step, &e), &e, "there is no such user");
  stralloc_wipe(&secret);
  stralloc_free(&code);
}

int main(int argc, char **argv) {
  int adding = 0, showing = 0, deleting = 0;
  const struct option options[] = {
      {'a', OPTION_FLAG, &adding, 1}, {'s', OPTION_FLAG, &showing, 1}, {'d', OPTION_FLAG, &deleting, 1}, {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 1, 1);
  struct site s;
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  stralloc real = STRALLOC_INIT;
  struct strerr e;

  if (adding + showing + deleting != 1) strerr_die_usage(USAGE);
  if (site_address(argv[i], &a, &e) == -1 || site_load(&s, &e) == -1 || site_open_db(&s, 0, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  want(userdb_domain_real(&s.db, a.domain.s, &real, &e), &e, "there is no such domain");
  if (!stralloc_copy(&a.domain, &real)) strerr_die_nomem(FATAL);
  substdio_initfd_write(&out, 1, outbuf, sizeof outbuf);
  if (adding) add(&s, &a);
  else if (showing) show(&s, &a);
  else want(userdb_totp_delete(&s.db, a.user.s, a.domain.s, &e), &e, "the user has no secret");
  flush();
  stralloc_free(&real);
  address_free(&a);
  site_close(&s);
  return 0;
}
