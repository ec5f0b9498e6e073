/* domain_alias: see domain_alias.h. */
#include "user/domain_alias.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "conf/paths.h"
#include "user/lines.h"

static int no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to change the domain", (char *)0);
}

/* What there is in the database, and how it is to be: done as the mail user. */
static int add_row(struct site *s, const char *alias, const char *domain, stralloc *real, struct strerr *e) {
  stralloc known = STRALLOC_INIT;
  enum userdb_result r = userdb_domain_real(&s->db, domain, real, e);
  int done = -1;

  if (r == USERDB_NONE) site_permanent(e, domain, "there is no such domain");
  if (r == USERDB_FOUND) r = userdb_domain_real(&s->db, alias, &known, e);
  if (r == USERDB_FOUND && stralloc_equals(&known, real->s) && strcmp(alias, real->s) != 0) done = 0; /* left half made */
  else if (r == USERDB_FOUND) site_permanent(e, alias, "the domain exists");
  else if (r == USERDB_NONE && real->len) done = userdb_alias_domain_add(&s->db, alias, real->s, e) == USERDB_FOUND ? 0 : -1;
  stralloc_free(&known);
  return done;
}

static int as_mail_user(struct site *s, const char *alias, const char *domain, stralloc *real, struct strerr *e) {
  int r = site_enter_db(s, e);

  if (r == 0) r = add_row(s, alias, domain, real, e);
  return identity_back(r, e);
}

/* A line more, or less, of a control file. */
static int edit(const char *file, const char *line, int add, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int r = paths_file(PATH_CONTROL, file, &path) ? add ? lines_add(path.s, line, e) : lines_remove(path.s, line, 0, e) : no_memory(e);

  stralloc_free(&path);
  return r;
}

int domain_alias_controls(const char *alias, const char *real, int add, struct strerr *e) {
  stralloc line = STRALLOC_INIT;
  int r = stralloc_catm(&line, alias, ":", real, (char *)0) ? 0 : no_memory(e);

  if (r != -1 && !add) r = edit("rcpthosts", alias, 0, e);
  if (r != -1) r = edit("virtualdomains", line.s, add, e);
  if (r != -1 && add) r = edit("locals", alias, 0, e);
  if (r != -1 && add) r = edit("rcpthosts", alias, 1, e);
  stralloc_free(&line);
  return r == -1 ? -1 : 0;
}

int domain_alias_add(struct site *s, const char *alias, const char *domain, struct strerr *e) {
  stralloc real = STRALLOC_INIT;
  int lock = site_lock(e);
  int r = lock == -1 ? -1 : as_mail_user(s, alias, domain, &real, e);

  if (r == 0) r = domain_alias_controls(alias, real.s, 1, e);
  fd_close(lock);
  stralloc_free(&real);
  return r;
}

static int find(struct site *s, const char *alias, stralloc *real, struct strerr *e) {
  enum userdb_result r = userdb_domain_real(&s->db, alias, real, e);

  if (r == USERDB_FOUND) return strcmp(alias, real->s) != 0;
  return r == USERDB_NONE ? 0 : -1;
}

/* The row goes last: it knows where the lines are. */
int domain_alias_remove(struct site *s, const char *alias, struct strerr *e) {
  stralloc real = STRALLOC_INIT;
  int r = site_enter_db(s, e);

  if (r == 0) r = find(s, alias, &real, e);

  r = identity_back(r, e);
  if (r == 1 && domain_alias_controls(alias, real.s, 0, e) == -1) r = -1;
  if (r == 1) r = identity_enter(&s->mail, e) == 0 && userdb_alias_domain_delete(&s->db, alias, e) != USERDB_TEMPFAIL ? 1 : -1;
  r = identity_back(r, e);
  stralloc_free(&real);
  return r;
}
