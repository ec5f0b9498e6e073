/* domain_report: see domain_report.h. */
#include "user/domain_report.h"

#include "base/fmt.h"
#include "user/limits.h"

static int show_name(struct site *s, const struct userdb_domain *d, struct report *r, struct strerr *e) {
  report_text(r, "domain", "domain", d->domain.s);
  return 0;
}

static int show_uid(struct site *s, const struct userdb_domain *d, struct report *r, struct strerr *e) {
  report_number(r, "uid", "uid", d->uid);
  return 0;
}

static int show_gid(struct site *s, const struct userdb_domain *d, struct report *r, struct strerr *e) {
  report_number(r, "gid", "gid", d->gid);
  return 0;
}

static int show_dir(struct site *s, const struct userdb_domain *d, struct report *r, struct strerr *e) {
  report_text(r, "dir", "domain dir", stralloc_cstr(&d->dir));
  return 0;
}

static int show_base(struct site *s, const struct userdb_domain *d, struct report *r, struct strerr *e) {
  stralloc base = STRALLOC_INIT;
  int done = site_base(stralloc_cstr(&d->base), &base, e);

  if (done == 0) report_text(r, "base", "base dir", base.s);
  stralloc_free(&base);
  return done;
}

static int show_users(struct site *s, const struct userdb_domain *d, struct report *r, struct strerr *e) {
  char all[FMT_U64 + 1], some[FMT_U64 + 1];
  stralloc text = STRALLOC_INIT;
  int64_t users, active;

  if (userdb_domain_users(&s->db, d->domain.s, &users, &active, e) != USERDB_FOUND) return -1;
  report_number(r, "users", 0, users);
  report_number(r, "active", 0, active);
  if (stralloc_catm(&text, fmt_u64_z(all, (uint64_t)users), " (", fmt_u64_z(some, (uint64_t)active), " active)", (char *)0))
    report_text(r, 0, "users", text.s);
  else r->failed = 1;
  stralloc_free(&text);
  return 0;
}

static int show_limits(struct site *s, const struct userdb_domain *d, struct report *r, struct strerr *e) {
  int on = limits_switched_on(s, stralloc_cstr(&d->dir), e);

  report_flag(r, "limits", on == 1);
  report_text(r, 0, "limits", on == 1 ? "in force" : "off");
  return on == -1 ? -1 : 0;
}

static int show_aliases(struct site *s, const struct userdb_domain *d, struct report *r, struct strerr *e) {
  struct strlist names = {0};
  int done = userdb_alias_domain_list(&s->db, d->domain.s, &names, e) == USERDB_TEMPFAIL ? -1 : 0;

  report_list(r, "aliases", "other name", &names);
  strlist_free(&names);
  return done;
}

/* In the order in which they are printed. */
static const struct {
  unsigned bit;
  int (*show)(struct site *, const struct userdb_domain *, struct report *, struct strerr *);
} parts[] = {{DOMAIN_SHOW_NAME, show_name}, {DOMAIN_SHOW_UID, show_uid},     {DOMAIN_SHOW_GID, show_gid},       {DOMAIN_SHOW_DIR, show_dir},
             {DOMAIN_SHOW_BASE, show_base}, {DOMAIN_SHOW_USERS, show_users}, {DOMAIN_SHOW_LIMITS, show_limits}, {DOMAIN_SHOW_ALIASES, show_aliases}};

int domain_report(struct site *s, const struct userdb_domain *d, unsigned what, struct report *r, struct strerr *e) {
  for (size_t i = 0; i < sizeof parts / sizeof *parts; ++i)
    if (what & parts[i].bit && parts[i].show(s, d, r, e) == -1) return -1;
  return 0;
}
