/* vapppass: passwords of a user for single programs or devices. */
#include <string.h>

#include "base/options.h"
#include "base/report.h"
#include "mail/date.h"
#include "user/app_password.h"
#include "user/outcome.h"
#include "user/site.h"

#define FATAL "vapppass: fatal: "
#define USAGE "vapppass [--json] -a label [-s services] | -d label | -l user@domain"
#define SERVICES "imap pop3 smtp"
#define LABEL_MAX 64

static int json;
static struct option_word words[] = {{"json", &json}, {0, 0}};

static void want(enum userdb_result r, const struct strerr *e, const char *none) {
  outcome_want(r, &(struct outcome_words){FATAL, 100, none, "there is one with this label already"}, e);
}

/* Printable, and fit for a line. */
static void check_label(const char *label) {
  size_t n = strlen(label);

  for (size_t i = 0; i < n; ++i)
    if ((unsigned char)label[i] < 32 || label[i] == 127) n = 0;
  if (!n || n > LABEL_MAX) strerr_diem(100, FATAL, "a label has 1 to 64 printable characters", (char *)0);
}

/* One or more of those a password is asked for, a blank between two. */
static void check_services(const char *s) {
  static const char *const names[] = {"imap", "pop3", "smtp", "webmail"};

  do {
    size_t n = strcspn(s, " ");
    int known = 0;

    for (size_t i = 0; i < sizeof names / sizeof *names; ++i) known |= strlen(names[i]) == n && !memcmp(s, names[i], n);
    if (!known) strerr_diem(100, FATAL, "services are of imap, pop3, smtp, webmail, a blank between two", (char *)0);
    s += n;
  } while (*s && *++s);
}

static const char *date_of(int64_t t, char date[DATE_TEXT]) {
  if (t) date_fmt(date, t, "+0000");
  return t ? date : "never";
}

static int print_one(void *ctx, const char *label, const char *services, int64_t created, int64_t used) {
  struct report *r = ctx;
  size_t n = strlen(services);
  char list[128] = "", made[DATE_TEXT], last[DATE_TEXT];

  if (n > 2 && n < sizeof list) memcpy(list, services + 1, n - 2); /* without the blanks around */
  report_item(r);
  report_text(r, "label", 0, label);
  report_text(r, "services", 0, list);
  report_number(r, "created", 0, created);
  report_number(r, "used", 0, used);
  report_words(r, label, ": for ", list, "; made ", date_of(created, made), "; used ", date_of(used, last), (char *)0);
  return 0;
}

static void add(struct site *s, const struct address *a, const char *label, const char *services) {
  stralloc password = STRALLOC_INIT;
  struct report r;
  struct strerr e;

  want(app_password_add(&s->db, a->user.s, a->domain.s, label, services, &password, &e), &e, "there is no such user");
  report_start(&r, json, 0, 0);
  report_item(&r);
  report_text(&r, "password", "password", stralloc_cstr(&password));
  if (report_finish(&r, 1, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  stralloc_wipe(&password);
}

int main(int argc, char **argv) {
  struct site s;
  struct report r;
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  stralloc real = STRALLOC_INIT;
  const char *adding = 0, *deleting = 0, *services = SERVICES;
  struct strerr e;
  int listing = 0;
  const struct option options[] = {
      {'a', OPTION_STRING, &adding, 0}, {'d', OPTION_STRING, &deleting, 0}, {'s', OPTION_STRING, &services, 0},
      {'l', OPTION_FLAG, &listing, 1},  {'-', OPTION_WORDS, words, 0},      {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 1, 1);

  if (!!adding + !!deleting + listing != 1) strerr_die_usage(USAGE);
  if (adding) check_label(adding);
  check_services(services);
  if (site_address(argv[i], &a, &e) == -1 || site_load(&s, &e) == -1 || site_open_db(&s, 0, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  want(userdb_domain_real(&s.db, a.domain.s, &real, &e), &e, "there is no such domain");
  if (!stralloc_copy(&a.domain, &real)) strerr_die_nomem(FATAL);
  report_start(&r, json, 1, 0);
  if (adding) add(&s, &a, adding, services);
  else if (deleting) want(app_password_delete(&s.db, a.user.s, a.domain.s, deleting, &e), &e, "there is none with this label");
  else want(app_password_each(&s.db, a.user.s, a.domain.s, print_one, &r, &e), &e, "the user has none");
  if (listing && report_finish(&r, 1, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  stralloc_free(&real);
  address_free(&a);
  site_close(&s);
  return 0;
}
