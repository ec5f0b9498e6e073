/* domain_turn: see domain_turn.h.  Mail is let in by the last step of adding, and no longer after the first of
 * removing. */
#include "user/domain_turn.h"

#include "base/fd.h"
#include "conf/paths.h"
#include "user/domain_part.h"
#include "user/lines.h"
#include "user/unfinished.h"

static int edit(const char *file, const char *name, int add, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int r = paths_file(PATH_CONTROL, file, &path) ? 0 : domain_no_memory(e);

  if (r == 0) r = add ? lines_add(path.s, name, e) : lines_remove(path.s, name, 0, e);
  stralloc_free(&path);
  return r;
}

static int has(const char *file, const char *name, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int r = paths_file(PATH_CONTROL, file, &path) ? lines_has(path.s, name, 0, e) : domain_no_memory(e);

  stralloc_free(&path);
  return r;
}

/* A domain of the database, or another name of one: 0 it is none, -1 (permanent where it is one). */
static int is_no_virtual(struct site *s, const char *name, struct strerr *e) {
  stralloc real = STRALLOC_INIT;
  int r = domain_rows_open(s, e);
  enum userdb_result v = r == 1 ? userdb_domain_real(&s->db, name, &real, e) : USERDB_NONE;

  if (r == 1) r = v == USERDB_NONE ? 0 : -1;
  stralloc_free(&real);
  r = identity_back(r, e);
  return v == USERDB_FOUND && r == -1 ? site_permanent(e, name, "is a virtual domain") : r;
}

static int add_locked(struct site *s, const char *name, int check_rcpt, struct strerr *e) {
  int r = is_no_virtual(s, name, e), both;

  if (r == 0) r = has("etrnhosts", name, e);
  both = r == 1 ? has("rcpthosts", name, e) : 0;
  if (r == -1 || both == -1) return -1;
  if (both) return site_permanent(e, name, "the domain exists");
  r = edit("etrnhosts", name, 1, e);
  if (r != -1) r = edit("locals", name, 0, e);
  if (r != -1 && check_rcpt) r = edit("chkrcptdomains", name, 1, e);
  if (r != -1) r = edit("rcpthosts", name, 1, e);
  return r == -1 ? -1 : 0;
}

static int remove_locked(struct site *s, const char *name, struct strerr *e) {
  static const char *const files[] = {"rcpthosts", "chkrcptdomains", "odmrhosts", "etrnhosts"};
  int r = is_no_virtual(s, name, e), etrn, odmr;

  etrn = r == 0 ? has("etrnhosts", name, e) : -1;
  odmr = etrn != -1 ? has("odmrhosts", name, e) : -1;
  if (odmr == -1) return -1;
  if (!etrn && !odmr) return site_permanent(e, name, "is no domain that fetches its mail");
  for (size_t i = 0; r != -1 && i < sizeof files / sizeof *files; ++i) r = edit(files[i], name, 0, e);
  return r == -1 ? -1 : 0;
}

int domain_turn_add(struct site *s, const char *name, int check_rcpt, struct strerr *e) {
  int lock = site_lock(e);
  int r = lock == -1 || unfinished_finish(s, e) == -1 ? -1 : add_locked(s, name, check_rcpt, e);

  fd_close(lock);
  return r;
}

int domain_turn_remove(struct site *s, const char *name, struct strerr *e) {
  int lock = site_lock(e);
  int r = lock == -1 || unfinished_finish(s, e) == -1 ? -1 : remove_locked(s, name, e);

  fd_close(lock);
  return r;
}
