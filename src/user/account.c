/* account: see account.h. */
#include "user/account.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "user/account_target.h"
#include "user/domain_files.h"
#include "user/fstab.h"
#include "user/maildir.h"
#include "user/tree.h"
#include "user/unfinished.h"
#include "user/userdb_change.h"

#define GECOS_MAX 255

static int permanent(struct strerr *e, const struct address *a, const char *why) {
  strerr_set(e, a->user.s, "@", a->domain.s, ": ", why, (char *)0);
  e->permanent = 1;
  return -1;
}

/* The outcome of a query about a as 0 or -1. */
static int outcome(enum userdb_result r, const struct address *a, const char *none, struct strerr *e) {
  switch (r) {
    case USERDB_FOUND: return 0;
    case USERDB_NONE: return permanent(e, a, none);
    case USERDB_EXISTS: return permanent(e, a, "the user exists");
    case USERDB_TEMPFAIL: return -1;
  }
  return -1;
}

/* Work as the owner of the domain's files, then as root again. */
static int as_owner(const struct identity *owner, int (*fn)(const char *, struct strerr *), const char *path,
                    struct strerr *e) {
  int r = identity_enter(owner, e) == -1 ? -1 : fn(path, e);

  return identity_back(r, e);
}

static int make_maildir(const char *path, struct strerr *e) {
  return maildir_create(path, 0700, 1, e);
}

/* The directory that is asked for, "" for the domain's. */
static int choose_base(struct site *s, const struct account_new *n, stralloc *base, struct strerr *e) {
  struct fstab f = {0, 0};
  const struct fstab_row *chosen;
  int r = n->balance ? fstab_balance(s, &f, &chosen, e) : 0;

  if (r == 0 && !stralloc_copys(base, n->balance ? chosen->filesystem.s : n->base)) r = strerr_sys(e, "unable to choose a directory", (char *)0);
  fstab_free(&f);
  return r;
}

static int find_target(struct site *s, const struct account_new *n, stralloc *base, struct account_target *t, struct strerr *e) {
  int r = choose_base(s, n, base, e);
  const struct account_wish wish = {n->address->domain.s, stralloc_cstr(base), n->per_level, n->quota};
  const char *why;

  if (r == 0) r = account_target_find(s, &wish, t, e);
  why = r == 0 ? limits_quota_fault(&t->limits, &t->quota) : 0;
  return why ? permanent(e, n->address, why) : r;
}

static int add_row(struct site *s, const struct account_new *n, const struct account_target *t, stralloc *home, struct strerr *e) {
  const struct userdb_new_user u = {
      .name = n->address->user.s,
      .domain = t->real.s,
      .hash = n->hash,
      .scram = n->scram,
      .gecos = n->gecos,
      .quota = t->quota,
      .active = n->active,
      .base = t->base.s,
      .per_level = t->per_level,
      .max_users = account_target_max(t),
  };

  return outcome(userdb_user_add(&s->db, &u, home, e), n->address, "there is no such domain", e);
}

static int check_place(struct site *s, const struct account_new *n, const struct account_target *t, const struct identity *owner, struct strerr *e) {
  const struct userdb_new_user u = {.name = n->address->user.s, .domain = t->real.s, .base = t->base.s, .per_level = t->per_level};
  stralloc home = STRALLOC_INIT;
  int active, bounce, r = site_enter_db(s, e);
  enum userdb_result there = r == 0 ? userdb_user_state(&s->db, u.name, u.domain, &active, &bounce, e) : USERDB_TEMPFAIL;

  if (there == USERDB_NONE) there = userdb_home_next(&s->db, &u, 1, &home, e);
  r = identity_back(there == USERDB_FOUND ? 0 : -1, e);
  if (r == 0 && home.len) r = as_owner(owner, account_home_free, home.s, e); /* a user who is there is refused later */
  stralloc_free(&home);
  return r;
}

int account_add(struct site *s, const struct account_new *n, struct strerr *e) {
  stralloc home = STRALLOC_INIT, base = STRALLOC_INIT;
  struct account_target t = {.per_level = 0};
  struct identity owner;
  int r = site_enter_db(s, e);

  r = identity_back(r == 0 ? find_target(s, n, &base, &t, e) : r, e);
  owner = (struct identity){t.d.uid, t.d.gid};
  /* the domain's own directories are there; in another its owner has to be let in before there is a user */
  if (r == 0 && base.len) r = domain_trees_make(base.s, t.real.s, &owner, e);
  if (r == 0) r = check_place(s, n, &t, &owner, e);
  if (r == 0) r = site_enter_db(s, e);
  r = identity_back(r == 0 ? add_row(s, n, &t, &home, e) : r, e);
  if (r == 0 && n->create) {
    if (!stralloc_cats(&home, "/Maildir")) r = strerr_sys(e, "unable to create the Maildir", (char *)0);
    else r = as_owner(&owner, make_maildir, home.s, e);
  }
  account_target_free(&t);
  stralloc_free(&base);
  stralloc_free(&home);
  return r;
}

/* The mail goes first: a user without mail can be removed again, mail without a user
 * would be the next one's of that name. */
static int delete_found(struct site *s, const struct address *a, const struct userdb_user *u, struct strerr *e) {
  struct identity owner = {u->uid, u->gid};
  int r;

  if (identity_leave(e) == -1 || as_owner(&owner, tree_remove, u->home.s, e) == -1) return -1;
  if (identity_enter(&s->mail, e) == -1) return -1;
  r = outcome(userdb_user_delete(&s->db, u->name.s, u->domain.s, e), a, "there is no such user", e);
  r = identity_back(r, e);
  /* What was delivered meanwhile. */
  return r == 0 ? as_owner(&owner, tree_remove, u->home.s, e) : -1;
}

static int delete_locked(struct site *s, const struct address *a, struct strerr *e) {
  struct userdb_user u = {0};
  int r = unfinished_finish(s, e) == -1 ? -1 : site_enter_db(s, e); /* a move that ends later would bring his mail back */

  if (r == 0) r = outcome(userdb_user_get(&s->db, a->user.s, a->domain.s, &u, e), a, "there is no such user", e);
  if (r == 0) r = delete_found(s, a, &u, e);
  userdb_user_free(&u);
  return r;
}

int account_delete(struct site *s, const struct address *a, struct strerr *e) {
  int lock = site_lock(e);
  int r = lock == -1 ? -1 : delete_locked(s, a, e);

  fd_close(lock);
  return r;
}

int account_passwd(struct site *s, const struct address *a, const char *hash, const char *scram,
                   struct strerr *e) {
  stralloc real = STRALLOC_INIT;
  int r = site_enter_db(s, e);

  if (r == 0) r = outcome(userdb_domain_real(&s->db, a->domain.s, &real, e), a, "there is no such domain", e);
  if (r == 0) r = outcome(userdb_user_passwd(&s->db, a->user.s, real.s, hash, scram, e), a, "there is no such user", e);
  stralloc_free(&real);
  return r;
}

int account_gecos_ok(const char *gecos) {
  size_t n = strlen(gecos);

  if (n > GECOS_MAX) return 0;
  while (n-- > 0)
    if ((unsigned char)gecos[n] < 32 || gecos[n] == 127 || gecos[n] == ':') return 0;
  return 1;
}

int account_is_group(const struct userdb_user *u) {
  return stralloc_starts(&u->gecos, "MailGroup ");
}

int account_is_reserved(const char *name) {
  static const char *const names[] = {"postmaster", "abuse",         "mailer-daemon",    "prefilt", "postfilt", "spam",
                                      "nonspam",    "register-spam", "register-nonspam"};

  for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
    if (!strcmp(name, names[i])) return 1;
  return 0;
}
