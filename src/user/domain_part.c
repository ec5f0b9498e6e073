/* domain_part: see domain_part.h. */
#include "user/domain_part.h"

#include <errno.h>
#include <unistd.h>

int domain_no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to change the domain", (char *)0);
}

int domain_rows_open(struct site *s, struct strerr *e) {
  if (sql_is_open(&s->db.sql)) return identity_enter(&s->mail, e) == 0 ? 1 : -1;
  if (s->place.is_file && access(s->place.where.s, F_OK) == -1 && errno == ENOENT) return 0;
  return site_open_db(s, 0, e) == 0 ? 1 : -1;
}

int domain_is_alias(struct site *s, const char *name, struct strerr *e) {
  stralloc real = STRALLOC_INIT;
  int r = domain_rows_open(s, e);
  enum userdb_result v = r == 1 ? userdb_domain_real(&s->db, name, &real, e) : USERDB_NONE;

  if (r == 1) r = v == USERDB_FOUND ? !stralloc_equals(&real, name) : v == USERDB_NONE ? 0 : -1;
  stralloc_free(&real);
  return identity_back(r, e);
}

int domain_alias_names(struct site *s, const char *name, struct strlist *names, struct strerr *e) {
  int r = domain_rows_open(s, e);

  strlist_clear(names);
  if (r == 1 && userdb_alias_domain_list(&s->db, name, names, e) == USERDB_TEMPFAIL) r = -1;
  return identity_back(r == -1 ? -1 : 0, e);
}
