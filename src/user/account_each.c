/* account_each: see account_each.h.  Names are read first: what is done with a user may take long,
 * and must not hold up those who want to write. */
#include "user/account_each.h"

#include <string.h>

static int add_name(void *ctx, const char *name, const char *home, int active) {
  return !strlist_add(ctx, name, strlen(name));
}

int account_domains(struct site *s, const char *domain, struct strlist *domains, struct strerr *e) {
  stralloc real = STRALLOC_INIT;
  int r = site_enter_db(s, e);
  enum userdb_result v = USERDB_TEMPFAIL;

  if (r == 0) v = domain ? userdb_domain_real(&s->db, domain, &real, e) : userdb_domain_list(&s->db, domains, e);
  if (v == USERDB_NONE && domain) r = site_permanent(e, domain, "there is no such domain");
  else if (v == USERDB_TEMPFAIL) r = -1;
  else if (domain && !strlist_add(domains, stralloc_cstr(&real), real.len)) r = strerr_sys(e, "unable to list users", (char *)0);
  stralloc_free(&real);
  return identity_back(r, e);
}

static int read_names(struct site *s, const char *domain, struct strlist *names, struct strerr *e) {
  int r = site_enter_db(s, e);

  if (r == 0 && userdb_user_each(&s->db, domain, add_name, names, e) == USERDB_TEMPFAIL) r = -1;
  return identity_back(r, e);
}

/* 1 with the user, 0 when it is gone by now, -1. */
static int read_user(struct site *s, const char *name, const char *domain, struct userdb_user *u, struct strerr *e) {
  int r = site_enter_db(s, e);
  enum userdb_result v = r == 0 ? userdb_user_get(&s->db, name, domain, u, e) : USERDB_TEMPFAIL;

  return identity_back(v == USERDB_FOUND ? 1 : v == USERDB_NONE ? 0 : -1, e);
}

int account_each(struct site *s, const char *domain, struct progress *p, account_each_fn fn, void *ctx, struct strerr *e) {
  struct strlist domains = {0}, names = {0};
  struct userdb_user u = {0};
  size_t first = 0;
  uint64_t total = 0;
  int r = account_domains(s, domain, &domains, e);

  /* Where one domain ends in the list of names: an empty one. */
  for (size_t i = 0; r == 0 && i < domains.len; ++i) {
    size_t before = names.len;

    r = read_names(s, domains.item[i].s, &names, e);
    total += names.len - before;
    if (r == 0 && !strlist_add(&names, "", 0)) r = strerr_sys(e, "unable to list users", (char *)0);
  }
  if (r == 0) progress_start(p, total);
  for (size_t i = 0; r == 0 && i < domains.len; ++i, ++first)
    for (; r == 0 && names.item[first].len; ++first) {
      r = read_user(s, names.item[first].s, domains.item[i].s, &u, e);
      if (r == 1) r = fn(ctx, &u, e);
      progress_step(p);
    }
  progress_clear(p);
  userdb_user_free(&u);
  strlist_free(&domains);
  strlist_free(&names);
  return r == -1 ? -1 : 0;
}
