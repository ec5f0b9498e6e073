/* vlimit: shows, sets and deletes the limits of a virtual domain, or of one of its users. */
#include <string.h>

#include "base/now.h"
#include "base/options.h"
#include "user/limits_form.h"

#define FATAL "vlimit: fatal: "
#define USAGE "vlimit -s [--json]|-D|[-entNQMqmPAFRLpafrluoxz value]... [-g flags [-T]] domain|user@domain"
#define COLUMN 26

static int json;
static struct option_word words[] = {{"json", &json}, {0, 0}};

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

/* FOUND is success; anything else ends us. */
static void want(enum userdb_result r, const struct strerr *e, const char *arg, const char *none) {
  switch (r) {
    case USERDB_FOUND: return;
    case USERDB_NONE: strerr_diem(1, FATAL, arg, ": ", none, (char *)0);
    case USERDB_EXISTS:
    case USERDB_TEMPFAIL: die(e);
  }
}

/* The domain, and a user of it where the argument is an address, under their real names. */
static void look_up(struct site *s, const char *arg, struct address *a, struct userdb_domain *d) {
  stralloc real = STRALLOC_INIT;
  struct userdb_user u = {0};
  struct strerr e;

  want(userdb_domain_real(&s->db, a->domain.s, &real, &e), &e, arg, "there is no such domain");
  want(userdb_domain_get(&s->db, real.s, d, &e), &e, arg, "there is no such domain");
  if (a->user.len) want(userdb_user_get(&s->db, a->user.s, real.s, &u, &e), &e, arg, "there is no such user");
  userdb_user_free(&u);
  stralloc_free(&real);
}

static void show(struct site *s, const struct address *a, const struct userdb_domain *d, const struct limits *l) {
  struct report r;
  struct strerr e;
  int on = limits_switched_on(s, stralloc_cstr(&d->dir), &e);

  if (on == -1) die(&e);
  report_start(&r, json, 0, COLUMN);
  report_record(&r);
  report_text(&r, "domain", "domain", d->domain.s);
  if (a->user.len) report_text(&r, "user", "user", a->user.s);
  report_flag(&r, "in_force", on);
  report_text(&r, 0, "in force", on ? "yes" : "no (vmoddomain -l 1 switches them on)");
  limits_form_print(l, &r);
  if (report_finish(&r, 1, &e) == -1) die(&e);
}

/* What the options say, of the row as it is. */
static void change(struct site *s, const char *arg, const struct address *a, const struct userdb_domain *d,
                   const char *const *values, const char *flags, int toggle, struct limits *l) {
  struct strerr e;

  for (size_t i = 0; i < LIMIT_OPTIONS; ++i) {
    const char letter[] = {limit_options[i].letter, 0};
    const char *why;

    if (!values[i]) continue;
    if (!limits_form_set(l, &limit_options[i], values[i], wall_now())) strerr_diem(100, FATAL, "-", letter, " does not take ", values[i], (char *)0);
    why = limits_form_idle(&limit_options[i], l);
    if (why) strerr_diem(100, FATAL, "-", letter, " ", values[i], " would have no effect: ", why, (char *)0);
  }
  if (flags && !limits_form_flags(l, flags, toggle)) strerr_diem(100, FATAL, "not flags: ", flags, (char *)0);
  want(limits_set(&s->db, d->domain.s, stralloc_cstr(&a->user), l, &e), &e, arg, "there is no such domain");
}

int main(int argc, char **argv) {
  struct site s;
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  struct userdb_domain d = {0};
  struct limits l;
  const char *values[LIMIT_OPTIONS] = {0}, *flags = 0;
  int showing = 0, deleting = 0, toggle = 0, any = 0, verbose = 0, i;
  struct option options[LIMIT_OPTIONS + 7] = {
      {'s', OPTION_FLAG, &showing, 1},  {'D', OPTION_FLAG, &deleting, 1}, {'g', OPTION_STRING, &flags, 0},
      {'T', OPTION_FLAG, &toggle, 1},   {'v', OPTION_COUNT, &verbose, 0}, {'-', OPTION_WORDS, words, 0},
  };
  enum userdb_result r;
  struct strerr e;

  for (size_t k = 0; k < LIMIT_OPTIONS; ++k) options[6 + k] = (struct option){limit_options[k].letter, OPTION_STRING, &values[k], 0};
  i = options_or_die(argc, argv, options, USAGE, 1, 1);
  for (size_t k = 0; k < LIMIT_OPTIONS; ++k) any |= values[k] || flags;
  if (showing + deleting + any != 1 || (toggle && !flags)) strerr_die_usage(USAGE);
  if (strchr(argv[i], '@') ? site_address(argv[i], &a, &e) == -1
                           : site_domain(argv[i], &e) == -1 || !stralloc_copys(&a.domain, argv[i]))
    die(&e);
  if (site_load(&s, &e) == -1 || site_open_db(&s, 0, &e) == -1) die(&e);
  if (!showing && sql_begin(&s.db.sql, &e) == -1) die(&e);
  look_up(&s, argv[i], &a, &d);
  r = limits_get(&s.db, d.domain.s, stralloc_cstr(&a.user), &l, &e);
  if (r != USERDB_NONE || showing || deleting) want(r, &e, argv[i], "no limits are set");
  if (any) change(&s, argv[i], &a, &d, values, flags, toggle, &l);
  if (deleting) want(limits_delete(&s.db, d.domain.s, stralloc_cstr(&a.user), &e), &e, argv[i], "no limits are set");
  if (!showing && sql_commit(&s.db.sql, &e) == -1) die(&e);
  if (!deleting) show(&s, &a, &d, &l);
  else if (verbose) strerr_warnm("", "removed the limits of ", argv[i], (char *)0);
  userdb_domain_free(&d);
  address_free(&a);
  site_close(&s);
  return 0;
}
