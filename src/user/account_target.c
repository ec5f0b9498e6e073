/* account_target: see account_target.h. */
#include "user/account_target.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* That asked for, else the domain's default, else the site's. */
static int choose_quota(struct site *s, const struct quota *asked, const struct limits *l, struct quota *q, struct strerr *e) {
  const char *site = conf_line(&s->conf, SET_hard_quota);

  if (asked) *q = *asked;
  else if (l->v[LIMIT_DEFAULT_QUOTA] || l->v[LIMIT_DEFAULT_MESSAGES])
    *q = (struct quota){(uint64_t)l->v[LIMIT_DEFAULT_QUOTA], (uint64_t)l->v[LIMIT_DEFAULT_MESSAGES]};
  else if (!quota_parse(site, strlen(site), q)) return site_permanent(e, site, "HARD_QUOTA is not a quota");
  return 0;
}

int account_target_find(struct site *s, const struct account_wish *w, struct account_target *t, struct strerr *e) {
  enum userdb_result r;

  memset(t, 0, sizeof *t);
  r = userdb_domain_real(&s->db, w->domain, &t->real, e);
  if (r == USERDB_FOUND) r = userdb_domain_get(&s->db, t->real.s, &t->d, e);
  if (r != USERDB_FOUND) return r == USERDB_NONE ? site_permanent(e, w->domain, "there is no such domain") : -1;
  if (site_base(*w->base ? w->base : stralloc_cstr(&t->d.base), &t->base, e) == -1) return -1;
  t->per_level = w->per_level;
  if (!w->per_level && site_per_level(s, stralloc_cstr(&t->d.dir), &t->per_level, e) == -1) return -1;
  if (limits_in_force(s, t->real.s, stralloc_cstr(&t->d.dir), "", &t->limits, e) == -1) return -1;
  if (t->limits.v[LIMIT_PERM_ACCOUNT] & LIMIT_CREATE) return site_permanent(e, t->real.s, "the limits of the domain do not allow new users");
  return choose_quota(s, w->quota, &t->limits, &t->quota, e);
}

const int64_t *account_target_max(const struct account_target *t) {
  return t->limits.v[LIMIT_ACCOUNTS] >= 0 ? &t->limits.v[LIMIT_ACCOUNTS] : 0;
}

void account_target_free(struct account_target *t) {
  userdb_domain_free(&t->d);
  stralloc_free(&t->real);
  stralloc_free(&t->base);
}

int account_home_free(const char *home, struct strerr *e) {
  if (rmdir(home) == 0 || errno == ENOENT) return 0;
  if (errno == EACCES || errno == ENAMETOOLONG) return strerr_sys(e, "unable to look at ", home, (char *)0);
  return site_permanent(e, home, "lies there already and may hold mail: move it away, or remove it");
}
