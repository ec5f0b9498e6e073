/* domain_rename: another name for a domain.  From the first step on, mail for the old name
 * waits (its directory is gone, which is a temporary failure); it is refused only when the new
 * one takes mail.  The steps can be repeated from any point. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "conf/paths.h"
#include "user/assign.h"
#include "user/dirhash.h"
#include "user/domain_files.h"
#include "user/domain_part.h"
#include "user/lines.h"
#include "user/qmail_file.h"
#include "user/unfinished.h"
#include "user/userdb_change.h"

/* 1 with the domain's row, 0, -1. */
static int get(struct site *s, const char *name, struct userdb_domain *d, struct strerr *e) {
  int r = domain_rows_open(s, e);
  enum userdb_result v = r == 1 ? userdb_domain_get(&s->db, name, d, e) : USERDB_NONE;

  if (r != -1) r = v == USERDB_FOUND ? 1 : v == USERDB_NONE ? 0 : -1;
  return identity_back(r, e);
}

/* The directory of the new name, beside the old one's. */
static int new_dir(const struct userdb_domain *d, const char *new, stralloc *dir, struct strerr *e) {
  stralloc parent = STRALLOC_INIT;
  int r = file_dirname(stralloc_cstr(&d->dir), &parent);

  stralloc_cut(dir, 0);
  if (r == -1 || !stralloc_catm(dir, parent.s, "/", new, (char *)0)) r = domain_no_memory(e);
  stralloc_free(&parent);
  return r;
}

static int move_rows(struct site *s, const char *old, const char *new, const char *dir, const char *base, struct strerr *e) {
  int r = domain_rows_open(s, e);

  if (r == 1 && userdb_domain_rename(&s->db, old, new, dir, base, e) != USERDB_FOUND) r = -1;
  return identity_back(r == 1 ? 0 : -1, e);
}

/* Files and rows, while the row still has the old name. */
static int move_all(struct site *s, const struct userdb_domain *d, const char *new, struct strerr *e) {
  stralloc dir = STRALLOC_INIT, base = STRALLOC_INIT;
  int r = new_dir(d, new, &dir, e);

  if (r == 0) r = site_base(stralloc_cstr(&d->base), &base, e);
  if (r == 0) r = domain_path_rename(d->dir.s, dir.s, e);
  if (r == 0) r = domain_trees_rename(base.s, d->domain.s, new, e);
  if (r == 0) r = move_rows(s, d->domain.s, new, dir.s, base.s, e);
  stralloc_free(&dir);
  stralloc_free(&base);
  return r;
}

/* --- .qmail of its users */

static int add_home(void *ctx, const char *name, const char *home, int active) {
  (void)name, (void)active;
  return !strlist_add(ctx, home, strlen(home));
}

static int list_homes(struct site *s, const char *domain, struct strlist *homes, struct strerr *e) {
  int r = domain_rows_open(s, e) == 1 && userdb_user_each(&s->db, domain, add_home, homes, e) != USERDB_TEMPFAIL ? 0 : -1;

  return identity_back(r, e);
}

/* Homes below one bucket, and addresses; as the owner. */
static int change_bucket(const struct strlist *homes, const char *dir, const char *old, const char *new, struct strerr *e) {
  stralloc from = STRALLOC_INIT, to = STRALLOC_INIT, at = STRALLOC_INIT, new_at = STRALLOC_INIT;
  int r = stralloc_catm(&from, dir, "/", old, (char *)0) && stralloc_catm(&to, dir, "/", new, (char *)0) &&
                  stralloc_catm(&at, "@", old, (char *)0) && stralloc_catm(&new_at, "@", new, (char *)0)
              ? 0
              : domain_no_memory(e);
  const struct qmail_change c = {stralloc_cstr(&from), stralloc_cstr(&to), stralloc_cstr(&at), stralloc_cstr(&new_at)};

  for (size_t i = 0; r == 0 && i < homes->len; ++i) r = qmail_change_file(stralloc_cstr(&homes->item[i]), &c, e);
  stralloc_free(&from);
  stralloc_free(&to);
  stralloc_free(&at);
  stralloc_free(&new_at);
  return r;
}

/* What they say by the old name: homes and addresses.  No mail comes for the new name yet. */
static int change_qmail(struct site *s, const struct userdb_domain *d, const char *old, struct strerr *e) {
  const struct identity owner = {d->uid, d->gid};
  struct strlist homes = {0};
  stralloc base = STRALLOC_INIT, dir = STRALLOC_INIT;
  int r = list_homes(s, d->domain.s, &homes, e);

  if (r == 0) r = site_base(stralloc_cstr(&d->base), &base, e);
  if (r == 0) r = identity_enter(&owner, e);
  for (size_t i = 0; r == 0 && i < DIRHASH_BUCKETS; ++i) {
    stralloc_cut(&dir, 0);
    r = stralloc_catm(&dir, base.s, "/", dirhash_buckets[i], (char *)0) ? change_bucket(&homes, dir.s, old, d->domain.s, e) : domain_no_memory(e);
  }
  strlist_free(&homes);
  stralloc_free(&base);
  stralloc_free(&dir);
  return identity_back(r, e);
}

/* Mail for its other names goes to the new one. */
static int relink(struct site *s, const char *old, const char *new, struct strerr *e) {
  struct strlist names = {0};
  stralloc path = STRALLOC_INIT, line = STRALLOC_INIT;
  int r = paths_file(PATH_CONTROL, "virtualdomains", &path) ? domain_alias_names(s, new, &names, e) : domain_no_memory(e);

  for (size_t i = 0; r != -1 && i < names.len; ++i) {
    stralloc_cut(&line, 0);
    r = stralloc_catm(&line, names.item[i].s, ":", new, (char *)0) ? lines_add(path.s, line.s, e) : domain_no_memory(e);
    stralloc_cut(&line, 0);
    if (r != -1)
      r = stralloc_catm(&line, names.item[i].s, ":", old, (char *)0) ? lines_remove(path.s, line.s, 0, e) : domain_no_memory(e);
  }
  strlist_free(&names);
  stralloc_free(&path);
  stralloc_free(&line);
  return r == -1 ? -1 : 0;
}

int domain_rename_steps(struct site *s, const struct strlist *words, struct strerr *e) {
  const char *old = words->item[1].s, *new = words->item[2].s;
  struct userdb_domain d = {0};
  struct identity owner;
  int check = 0, r = get(s, old, &d, e);

  if (r == 1) r = move_all(s, &d, new, e);
  if (r == 0) r = get(s, new, &d, e);
  if (r == 1) {
    owner = (struct identity){d.uid, d.gid};
    r = change_qmail(s, &d, old, e);
    if (r == 0) r = check = domain_checks_rcpt(old, e);
    if (r != -1) r = domain_assign_add(new, d.dir.s, &owner, 1, e);
    if (r == 0) r = domain_controls_add(new, check, e);
    if (r == 0) r = relink(s, old, new, e);
    if (r == 0) r = domain_controls_remove(old, e);
    if (r != -1) r = domain_assign_remove(old, e);
  }
  userdb_domain_free(&d);
  return r == -1 ? -1 : 0;
}

/* Is the name in use in any way?  -1 permanent then. */
static int check_free(const char *new, struct strerr *e) {
  stralloc dir = STRALLOC_INIT, cdb = STRALLOC_INIT, key = STRALLOC_INIT;
  struct assign_user u = {0};
  struct stat st;
  int r = domain_dir("", new, &dir, e);

  if (r == 0 && lstat(dir.s, &st) == 0) r = site_permanent(e, dir.s, "is in the way");
  if (r == 0 && (!paths_file(PATH_USERS, "cdb", &cdb) || !stralloc_catm(&key, new, "-", (char *)0))) r = domain_no_memory(e);
  if (r == 0) r = assign_find(cdb.s, key.s, key.len, &u, e);
  if (r == 1) r = site_permanent(e, new, "users/assign has the domain");
  assign_user_free(&u);
  stralloc_free(&dir);
  stralloc_free(&cdb);
  stralloc_free(&key);
  return r;
}

static int rename_real(struct site *s, const char *old, const char *new, struct strerr *e) {
  const char *const words[] = {"domain", old, new, 0};

  if (unfinished_write(words, e) == -1) return -1;
  return unfinished_finish(s, e) == 1 ? 0 : -1;
}

static int rename_locked(struct site *s, const char *old, const char *new, struct strerr *e) {
  struct userdb_domain d = {0};
  int r = unfinished_finish(s, e);

  if (r != -1) r = get(s, new, &d, e);
  if (r == 0) r = domain_is_alias(s, new, e);
  if (r == 1) r = site_permanent(e, new, "the domain exists");
  if (r == 0) r = get(s, old, &d, e);
  if (r == 0) r = site_permanent(e, old, "there is no such domain (another name of one is not renamed, but removed and added)");
  if (r == 1) r = check_free(new, e);
  if (r == 0) r = rename_real(s, old, new, e);
  userdb_domain_free(&d);
  return r;
}

int domain_rename(struct site *s, const char *old, const char *new, struct strerr *e) {
  int lock = site_lock(e);
  int r = lock == -1 ? -1 : rename_locked(s, old, new, e);

  fd_close(lock);
  return r;
}
