/* user_exists: see user_exists.h. */
#include "smtp/user_exists.h"

int user_is_virtual(const struct conf *conf, const struct smtp_path *p) {
  const struct strlist *domains = conf_lines(conf, SET_virtualdomains);
  size_t n;
  const char *domain = smtp_path_domain(p, &n);

  if (!n || conf_has(conf_lines(conf, SET_locals), domain, n)) return 0;
  /* An address with a line of its own goes wherever that line says. */
  if (conf_map(domains, p->address.s, p->address.len)) return 0;
  return conf_map_domain(domains, domain, n) != 0;
}

static enum user_exists by_state(enum lookup_state state) {
  switch (state) {
    case LOOKUP_ACTIVE:
    case LOOKUP_ALIAS: break;
    case LOOKUP_INACTIVE: return USER_INACTIVE;
    case LOOKUP_OVERQUOTA: return USER_OVERQUOTA;
  }
  return USER_YES;
}

/* A virtual domain need not be one of the user database. */
static enum user_exists unknown(struct lookup *l, const char *domain, deadline when, struct strerr *e) {
  stralloc real = STRALLOC_INIT;
  enum user_exists answer = USER_FAILED;

  switch (lookup_domain(l, domain, when, &real, e)) {
    case LOOKUP_FOUND: answer = USER_NO; break;
    case LOOKUP_NONE: answer = USER_UNKNOWN; break;
    case LOOKUP_TEMPFAIL: break;
  }
  stralloc_free(&real);
  return answer;
}

enum user_exists user_exists(struct lookup *l, const struct conf *conf, const struct smtp_path *p, struct strerr *e) {
  deadline when = deadline_in((int64_t)conf_number(conf, SET_timeoutread));
  enum lookup_state state = LOOKUP_ACTIVE;
  size_t n;

  switch (lookup_user(l, p->address.s, when, &state, e)) {
    case LOOKUP_FOUND: return by_state(state);
    case LOOKUP_NONE: return unknown(l, smtp_path_domain(p, &n), when, e);
    case LOOKUP_TEMPFAIL: break;
  }
  return USER_FAILED;
}
