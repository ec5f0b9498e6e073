/* vdominfo: prints what is known of a virtual domain, or of all; checks whether it fits together, and
 * mends it. */
#include <string.h>

#include "base/fmt.h"
#include "base/options.h"
#include "base/report.h"
#include "user/limits.h"
#include "user/site_check.h"

#define FATAL "vdominfo: fatal: "
#define USAGE "vdominfo [-anugdbtl] [--json] [domain] | vdominfo --check|--repair [--json] [domain]"
#define COLUMN 14

static int json, check, repair;

static int long_option(const char *name) {
  static const struct {
    const char *name;
    int *target;
  } options[] = {{"json", &json}, {"check", &check}, {"repair", &repair}};

  for (size_t i = 0; i < sizeof options / sizeof *options; ++i)
    if (!strcmp(name, options[i].name)) return *options[i].target = 1;
  return 0;
}

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

/* --- what is known */

struct row {
  struct site *s;
  struct report *r;
  const struct userdb_domain *d;
};

static void print_name(const struct row *w) {
  report_text(w->r, "domain", "domain", w->d->domain.s);
}

static void print_uid(const struct row *w) {
  report_number(w->r, "uid", "uid", w->d->uid);
}

static void print_gid(const struct row *w) {
  report_number(w->r, "gid", "gid", w->d->gid);
}

static void print_dir(const struct row *w) {
  report_text(w->r, "dir", "domain dir", stralloc_cstr(&w->d->dir));
}

static void print_base(const struct row *w) {
  stralloc base = STRALLOC_INIT;
  struct strerr e;

  if (site_base(stralloc_cstr(&w->d->base), &base, &e) == -1) die(&e);
  report_text(w->r, "base", "base dir", base.s);
  stralloc_free(&base);
}

static void print_users(const struct row *w) {
  char all[FMT_U64 + 1], some[FMT_U64 + 1];
  stralloc text = STRALLOC_INIT;
  int64_t users, active;
  struct strerr e;

  if (userdb_domain_users(&w->s->db, w->d->domain.s, &users, &active, &e) != USERDB_FOUND) die(&e);
  report_number(w->r, "users", 0, users);
  report_number(w->r, "active", 0, active);
  if (!stralloc_catm(&text, fmt_u64_z(all, (uint64_t)users), " (", fmt_u64_z(some, (uint64_t)active), " active)", (char *)0)) strerr_die_nomem(FATAL);
  report_text(w->r, 0, "users", text.s);
  stralloc_free(&text);
}

static void print_limits(const struct row *w) {
  struct strerr e;
  int on = limits_switched_on(w->s, stralloc_cstr(&w->d->dir), &e);

  if (on == -1) die(&e);
  report_flag(w->r, "limits", on);
  report_text(w->r, 0, "limits", on ? "in force" : "off");
}

static void print_aliases(const struct row *w) {
  struct strlist names = {0};
  struct strerr e;

  if (userdb_alias_domain_list(&w->s->db, w->d->domain.s, &names, &e) == USERDB_TEMPFAIL) die(&e);
  report_list(w->r, "aliases", "other name", &names);
  strlist_free(&names);
}

/* letter 0: only among all. */
static const struct {
  char letter;
  void (*print)(const struct row *w);
} columns[] = {{'n', print_name}, {'u', print_uid},   {'g', print_gid},    {'d', print_dir},
               {'b', print_base}, {'t', print_users}, {'l', print_limits}, {0, print_aliases}};
#define COLUMNS (sizeof columns / sizeof *columns)

/* 1 if there is such a domain. */
static int print_domain(struct site *s, const char *name, const int *chosen, struct report *r) {
  struct userdb_domain d = {0};
  const struct row w = {s, r, &d};
  stralloc real = STRALLOC_INIT;
  struct strerr e;
  enum userdb_result v = userdb_domain_real(&s->db, name, &real, &e);

  if (v == USERDB_FOUND) v = userdb_domain_get(&s->db, real.s, &d, &e);
  if (v == USERDB_TEMPFAIL || v == USERDB_EXISTS) die(&e);
  if (v == USERDB_FOUND) report_record(r);
  for (size_t i = 0; v == USERDB_FOUND && i < COLUMNS; ++i)
    if (chosen[i]) columns[i].print(&w);
  userdb_domain_free(&d);
  stralloc_free(&real);
  return v == USERDB_FOUND;
}

static void print_all(struct site *s, const int *chosen, struct report *r) {
  struct strlist names = {0};
  struct strerr e;

  if (userdb_domain_list(&s->db, &names, &e) == USERDB_TEMPFAIL) die(&e);
  for (size_t i = 0; i < names.len; ++i) print_domain(s, names.item[i].s, chosen, r);
  strlist_free(&names);
}

static void inform(struct site *s, const char *domain, const int *chosen) {
  struct report r;
  struct strerr e;

  if (site_open_db(s, 0, &e) == -1) die(&e);
  report_start(&r, json, !domain, COLUMN);
  if (!domain) print_all(s, chosen, &r);
  else if (!print_domain(s, domain, chosen, &r)) strerr_diem(1, FATAL, domain, ": there is no such domain", (char *)0);
  if (report_finish(&r, 1, &e) == -1) die(&e);
}

/* --- what does not fit */

static void tell(void *ctx, const char *object, const char *finding, enum check_outcome outcome) {
  static const struct {
    const char *key, *text;
  } outcomes[] = {[CHECK_MENDED] = {"mended", ": mended"},
                  [CHECK_MENDABLE] = {"mendable", ""},
                  [CHECK_PERSON] = {"person", " (nothing that --repair decides)"}};
  struct report *r = ctx;
  stralloc line = STRALLOC_INIT;

  if (json) {
    report_record(r);
    report_text(r, "object", 0, object);
    report_text(r, "finding", 0, finding);
    report_text(r, "outcome", 0, outcomes[outcome].key);
  } else {
    if (!stralloc_catm(&line, object, ": ", finding, outcomes[outcome].text, (char *)0)) strerr_die_nomem(FATAL);
    report_line(r, line.s);
  }
  stralloc_free(&line);
}

/* What was found is printed also where it could not go on.  1 where something is left to be done. */
static int examine(struct site *s, const char *domain) {
  struct report r;
  struct site_check c = {.repair = repair, .tell = tell, .ctx = &r};
  struct strerr e, other;
  int failed;

  report_start(&r, json, 1, 0);
  failed = site_check_run(s, domain, &c, &e) == -1;
  if (report_finish(&r, 1, &other) == -1) die(&other);
  if (failed) die(&e);
  return c.left > 0;
}

int main(int argc, char **argv) {
  struct site s;
  struct strerr e;
  int chosen[COLUMNS] = {0}, all = 0, any = 0, code = 0, i;
  struct option options[COLUMNS + 2] = {{'a', OPTION_FLAG, &all, 1}, {'-', OPTION_CALL, (void *)(uintptr_t)long_option, 0}};

  for (size_t k = 0; columns[k].letter; ++k) options[k + 2] = (struct option){columns[k].letter, OPTION_FLAG, &chosen[k], 1};
  i = options_or_die(argc, argv, options, USAGE, 0, 1);
  for (size_t k = 0; k < COLUMNS; ++k) any |= chosen[k];
  if (check + repair > 1 || ((check || repair) && (any || all))) strerr_die_usage(USAGE);
  for (size_t k = 0; k < COLUMNS; ++k) chosen[k] |= all || !any;
  if (i < argc && (check || repair) && site_domain(argv[i], &e) == -1) die(&e);
  if (site_load(&s, &e) == -1) die(&e);
  if (check || repair) code = examine(&s, i < argc ? argv[i] : 0);
  else inform(&s, i < argc ? argv[i] : 0, chosen);
  site_close(&s);
  return code;
}
