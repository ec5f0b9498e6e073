/* domain: see domain.h.
 *
 * Order of adding: directory with .qmail-default, mailbox directories, database (the
 * domain, its postmaster and aliases in one transaction), users/assign and users/cdb,
 * virtualdomains, locals, and last rcpthosts, which lets mail in.  Removing goes the
 * other way.  Every step may be repeated. */
#include "user/domain.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/file.h"
#include "conf/paths.h"
#include "user/domain_alias.h"
#include "user/domain_files.h"
#include "user/domain_part.h"
#include "user/lines.h"
#include "user/tree.h"
#include "user/unfinished.h"

static int make_dir(const struct site *s, const struct domain_new *n, stralloc *dir, struct strerr *e) {
  const struct identity owner = {n->owner.uid, s->mail.gid};
  const struct domain_default d = {.filter = n->filter, .handler = n->handler};
  stralloc parent = STRALLOC_INIT;
  int r = domain_dir(n->dir, n->name, dir, e);

  if (r == 0 && file_dirname(dir->s, &parent) == -1) r = domain_no_memory(e);
  if (r == 0 && file_mkdir(parent.s, 0755) == -1) r = strerr_sys(e, "unable to create ", parent.s, (char *)0);
  if (r == 0) r = domain_dir_make(dir->s, &owner, e);
  if (r == 0) r = domain_default_write(dir->s, &d, &owner, e);
  if (r == 0 && n->per_level) r = domain_per_level_write(dir->s, n->per_level, &owner, e);
  stralloc_free(&parent);
  return r;
}

/* --- the whole */

/* What the database knows of it: 1 it was there, 0 not, -1. */
static int rows(struct site *s, const char *name, struct userdb_domain *d, int remove, struct strerr *e) {
  int r = domain_rows_open(s, e);
  enum userdb_result v = USERDB_NONE;

  if (r == 1) v = remove ? userdb_domain_delete(&s->db, name, e) : userdb_domain_get(&s->db, name, d, e);
  if (r == 1) r = v == USERDB_FOUND ? 1 : v == USERDB_NONE ? 0 : -1;
  return identity_back(r, e);
}

static enum userdb_result add_rows(struct site *s, const struct domain_new *n, const char *dir, const char *base,
                                   struct strerr *e) {
  static const char *const aliases[] = {"abuse", "mailer-daemon", 0};
  struct userdb_domain d = {.uid = n->owner.uid, .gid = n->owner.gid};
  struct userdb_new_user postmaster = {
      .name = "postmaster",
      .domain = n->name,
      .hash = n->hash,
      .scram = n->scram,
      .gecos = "Postmaster",
      .quota = n->quota,
      .active = 1,
      .base = base,
      .per_level = n->per_level ? n->per_level : conf_number(&s->conf, SET_users_per_level),
  };
  enum userdb_result r = USERDB_TEMPFAIL;

  if (stralloc_copys(&d.domain, n->name) && stralloc_copys(&d.dir, dir) && stralloc_copys(&d.base, n->base))
    r = userdb_domain_add(&s->db, &d, &postmaster, aliases, e);
  else domain_no_memory(e);
  userdb_domain_free(&d);
  return r;
}

/* The rows, as the mail user.  A domain that has them already was left half made: it
 * gets the new password. */
static int add_database(struct site *s, const struct domain_new *n, const char *dir, const char *base,
                        struct strerr *e) {
  enum userdb_result r = USERDB_TEMPFAIL;

  userdb_close(&s->db);
  if (site_open_db(s, 1, e) == 0) r = add_rows(s, n, dir, base, e);
  if (r == USERDB_EXISTS) r = userdb_user_passwd(&s->db, "postmaster", n->name, n->hash, n->scram, e);
  return identity_back(r == USERDB_FOUND ? 0 : -1, e);
}

/* A database on a server may not be there yet; who adds a domain makes it. */
static int make_database(struct site *s, struct strerr *e) {
  if (s->place.is_file || sql_is_open(&s->db.sql)) return 0;
  return identity_back(site_open_db(s, 1, e), e);
}

/* Is it there, to the last step of adding? */
static int is_whole(struct site *s, const char *name, struct strerr *e) {
  struct userdb_domain d = {0};
  stralloc path = STRALLOC_INIT;
  int r = paths_file(PATH_CONTROL, "rcpthosts", &path) ? lines_has(path.s, name, 0, e) : domain_no_memory(e);

  if (r == 1) r = rows(s, name, &d, 0, e);
  if (r == 0) r = make_database(s, e);
  if (r == 0) r = domain_is_alias(s, name, e);
  userdb_domain_free(&d);
  stralloc_free(&path);
  return r;
}

static int add_locked(struct site *s, const struct domain_new *n, struct strerr *e) {
  stralloc dir = STRALLOC_INIT, base = STRALLOC_INIT;
  int r = is_whole(s, n->name, e);

  if (r == 1) r = site_permanent(e, n->name, "the domain exists");
  if (r == 0 && n->filter) r = domain_filter_check(e);
  if (r == 0) r = site_base(n->base, &base, e);
  if (r == 0) r = make_dir(s, n, &dir, e);
  if (r == 0) r = domain_trees_make(base.s, n->name, &n->owner, e);
  if (r == 0) r = add_database(s, n, dir.s, base.s, e);
  if (r == 0) r = domain_assign_add(n->name, dir.s, &n->owner, !n->no_compile, e);
  if (r == 0) r = domain_controls_add(n->name, n->check_rcpt, e);
  stralloc_free(&dir);
  stralloc_free(&base);
  return r;
}

int domain_add(struct site *s, const struct domain_new *n, struct strerr *e) {
  int lock = site_lock(e);
  int r = lock == -1 || unfinished_finish(s, e) == -1 ? -1 : add_locked(s, n, e);

  fd_close(lock);
  return r;
}

static int collect_home(void *ctx, const char *name, const char *home, int active) {
  return !strlist_add(ctx, home, strlen(home));
}

/* Homes may be anywhere: -B, vmoveuserdir. */
static int delete_homes(struct site *s, const struct userdb_domain *d, struct strerr *e) {
  const struct identity owner = {d->uid, d->gid};
  struct strlist homes = {0};
  int r = domain_rows_open(s, e);

  if (r == 1 && userdb_user_each(&s->db, d->domain.s, collect_home, &homes, e) == USERDB_TEMPFAIL) r = -1;
  r = identity_back(r, e);
  if (r == 1 && identity_enter(&owner, e) == -1) r = -1;
  for (size_t i = 0; r != -1 && i < homes.len; ++i) r = tree_remove(homes.item[i].s, e);
  strlist_free(&homes);
  return identity_back(r == -1 ? -1 : 0, e);
}

static int delete_locked(struct site *s, const char *name, struct strerr *e) {
  struct userdb_domain d = {0};
  stralloc dir = STRALLOC_INIT, base = STRALLOC_INIT;
  struct stat st;
  int any, r;

  r = rows(s, name, &d, 0, e);
  any = r == 1;
  if (r != -1) r = domain_controls_remove(name, e), any |= r == 1;
  if (r != -1) r = domain_assign_remove(name, e), any |= r == 1;
  if (r != -1 && d.domain.len) r = delete_homes(s, &d, e);
  if (r != -1) r = site_base(stralloc_cstr(&d.base), &base, e);
  if (r != -1) r = domain_trees_remove(base.s, name, e);
  if (r != -1) r = d.dir.len ? (stralloc_copy(&dir, &d.dir) ? 0 : domain_no_memory(e)) : domain_dir("", name, &dir, e);
  if (r != -1) {
    any |= lstat(dir.s, &st) == 0;
    r = tree_remove(dir.s, e);
  }
  /* The rows go last: they know where everything else is. */
  if (r != -1) r = rows(s, name, &d, 1, e);
  if (r != -1 && !any) r = site_permanent(e, name, "there is no such domain");
  userdb_domain_free(&d);
  stralloc_free(&dir);
  stralloc_free(&base);
  return r == -1 ? -1 : 0;
}

/* Lines of its other names would lead nowhere. */
static int remove_names(struct site *s, const char *name, struct strerr *e) {
  struct strlist names = {0};
  enum userdb_result r = identity_enter(&s->mail, e) == 0 ? userdb_alias_domain_list(&s->db, name, &names, e) : USERDB_TEMPFAIL;
  int done = identity_back(r == USERDB_TEMPFAIL ? -1 : 0, e);

  for (size_t i = 0; done != -1 && i < names.len; ++i) done = domain_alias_remove(s, names.item[i].s, e);
  strlist_free(&names);
  return done == -1 ? -1 : 0;
}

/* Another name of a domain, or a domain. */
static int delete_either(struct site *s, const char *name, struct strerr *e) {
  int r = 0;

  if (!s->place.is_file || access(s->place.where.s, F_OK) == 0) r = domain_alias_remove(s, name, e);
  if (r == 0 && sql_is_open(&s->db.sql)) r = remove_names(s, name, e);
  return r == 0 ? delete_locked(s, name, e) : r == 1 ? 0 : -1;
}

int domain_delete(struct site *s, const char *name, struct strerr *e) {
  int lock = site_lock(e);
  int r = lock == -1 || unfinished_finish(s, e) == -1 ? -1 : delete_either(s, name, e);

  fd_close(lock);
  return r;
}
