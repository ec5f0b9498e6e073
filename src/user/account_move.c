/* account_move: users under other names and in other places.  The steps, by the note of
 * user/unfinished.h, each of which may be repeated:
 *
 *   1. the tree goes to its new place: renamed; across file systems copied beside it under a
 *      name of its own, which is renamed when the copy is whole; its .qmail names the new place
 *   2. the row names the new place (and name)
 *   3. what is still, or again, in the old place is copied into the new, and the old removed; between file systems,
 *      by the list of what was copied (user/mail_list.h), what was deleted in one of them goes in the other first
 *
 * So the new place, once it is there, is whole, and a message delivered meanwhile to the old
 * one is found in step 3.  When step 1 or 2 cannot be done, step 1 is taken back.  Where the user
 * was removed before the last step, what was his goes too. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "user/account.h"
#include "user/domain_files.h"
#include "user/mail_list.h"
#include "user/qmail_file.h"
#include "user/tree.h"
#include "user/unfinished.h"
#include "user/userdb_change.h"

#define COPY_SUFFIX ",copy" /* a comma is in no user name */
#define LIST_SUFFIX ",copied"
#define GONE_SUFFIX ",gone"

/* What to do with the list beside this home. */
static int with_list(const char *home, int (*fn)(const char *list, const char *old, const char *new, struct strerr *), const char *old, struct strerr *e) {
  stralloc list = STRALLOC_INIT;
  int r = stralloc_catm(&list, home, LIST_SUFFIX, (char *)0) ? fn(list.s, old, home, e) : strerr_sys(e, "unable to move ", old, (char *)0);

  stralloc_free(&list);
  return r;
}

static int forget_list(const char *list, const char *old, const char *new, struct strerr *e) {
  (void)old;
  (void)new;
  return mail_list_remove(list, e);
}

static int make_list(const char *list, const char *part, const char *new, struct strerr *e) {
  (void)new;
  return mail_list_write(part, list, e);
}

static int exists(const char *path) {
  struct stat st;

  return lstat(path, &st) == 0;
}

/* --- the tree, as its owner */

static int make_parents(const char *path, struct strerr *e) {
  stralloc dir = STRALLOC_INIT;
  int r = file_dirname(path, &dir);

  if (r == 0 && !exists(dir.s)) {
    r = make_parents(dir.s, e);
    if (r == 0 && mkdir(dir.s, 0750) == -1 && errno != EEXIST) r = strerr_sys(e, "unable to create ", dir.s, (char *)0);
  }
  stralloc_free(&dir);
  return r;
}

static int copy_whole(struct site *s, const char *old, const char *new, struct strerr *e) {
  stralloc part = STRALLOC_INIT;
  int r = stralloc_catm(&part, new, COPY_SUFFIX, (char *)0) ? tree_copy(old, part.s, s->copied, s->copied_ctx, e)
                                                            : strerr_sys(e, "unable to move ", old, (char *)0);

  if (r == 0) r = with_list(new, make_list, part.s, e);
  if (r == 0 && rename(part.s, new) == -1) r = strerr_sys(e, "unable to rename ", part.s, (char *)0);
  stralloc_free(&part);
  return r;
}

/* Step 1. */
static int move_tree(struct site *s, const char *old, const char *new, struct strerr *e) {
  if (exists(new) || !exists(old)) return 0;
  if (make_parents(new, e) == -1) return -1;
  if (rename(old, new) == 0) return 0;
  if (errno != EXDEV) return strerr_sys(e, "unable to move ", old, " to ", new, (char *)0);
  return copy_whole(s, old, new, e);
}

/* What is no longer the old place: from the moment on that it has another name nothing is copied from it. */
static int remove_old(const char *old, const char *aside, const char *new, struct strerr *e) {
  if (exists(old) && rename(old, aside) == -1) return strerr_sys(e, "unable to rename ", old, (char *)0);
  return with_list(new, forget_list, old, e) == 0 ? tree_remove(aside, e) : -1;
}

/* Step 3.  The sum of the new place is counted again. */
static int merge_tree(struct site *s, const char *old, const char *new, struct strerr *e) {
  stralloc path = STRALLOC_INIT, aside = STRALLOC_INIT;
  int r;

  if (!strcmp(old, new)) return 0;
  r = stralloc_catm(&aside, old, GONE_SUFFIX, (char *)0) && stralloc_catm(&path, new, "/Maildir/maildirsize", (char *)0)
          ? tree_remove(aside.s, e) /* of an earlier attempt */
          : strerr_sys(e, "unable to move ", old, (char *)0);
  if (r == 0 && exists(old)) {
    r = with_list(new, mail_list_settle, old, e);
    if (r == 0) r = tree_copy(old, new, s->copied, s->copied_ctx, e);
    if (r == 0) (void)!unlink(path.s);
  }
  if (r == 0) r = remove_old(old, aside.s, new, e);
  stralloc_free(&path);
  stralloc_free(&aside);
  return r;
}

static int as_owner(struct site *s, const struct identity *owner,
                    int (*fn)(struct site *, const char *, const char *, struct strerr *), const char *old, const char *new,
                    struct strerr *e) {
  return identity_back(identity_enter(owner, e) == -1 ? -1 : fn(s, old, new, e), e);
}

/* --- the note */

enum { W_KIND, W_NAME, W_DOMAIN, W_HOME, W_NEW_NAME, W_NEW_DOMAIN, W_NEW_HOME };

/* Is the user there, in this home?  1 with its owner, 0, -1. */
static int is_at(struct site *s, const char *name, const char *domain, const char *home, struct identity *owner,
                 struct strerr *e) {
  struct userdb_user u = {0};
  int r = site_enter_db(s, e);
  enum userdb_result v = r == 0 ? userdb_user_get(&s->db, name, domain, &u, e) : USERDB_TEMPFAIL;

  if (v == USERDB_FOUND) *owner = (struct identity){u.uid, u.gid};
  r = v == USERDB_FOUND ? stralloc_equals(&u.home, home) : v == USERDB_NONE ? 0 : -1;
  userdb_user_free(&u);
  return identity_back(r, e);
}

static int move_row(struct site *s, const struct strlist *w, struct strerr *e) {
  const struct userdb_place_of from = {w->item[W_NAME].s, w->item[W_DOMAIN].s, w->item[W_HOME].s};
  const struct userdb_place_of to = {w->item[W_NEW_NAME].s, w->item[W_NEW_DOMAIN].s, w->item[W_NEW_HOME].s};
  int r = site_enter_db(s, e);
  enum userdb_result v = r == 0 ? userdb_user_move(&s->db, &from, &to, e) : USERDB_TEMPFAIL;

  if (v == USERDB_EXISTS) r = site_permanent(e, to.name, "the user exists");
  else if (v != USERDB_FOUND) r = v == USERDB_NONE ? site_permanent(e, from.name, "there is no such user") : -1;
  return identity_back(r, e);
}

/* .qmail in the new home (back: in the old one again), where the user may have written of himself by his home or his
 * address. */
static int change_qmail(const struct strlist *w, int back, const struct identity *owner, struct strerr *e) {
  stralloc from = STRALLOC_INIT, to = STRALLOC_INIT;
  int r = -1;

  if (!stralloc_catm(&from, w->item[W_NAME].s, "@", w->item[W_DOMAIN].s, (char *)0) ||
      !stralloc_catm(&to, w->item[W_NEW_NAME].s, "@", w->item[W_NEW_DOMAIN].s, (char *)0)) {
    strerr_sys(e, "unable to move ", w->item[W_NAME].s, (char *)0);
  } else {
    const struct qmail_change on = {w->item[W_HOME].s, w->item[W_NEW_HOME].s, from.s, to.s};
    const struct qmail_change off = {on.new_home, on.home, to.s, from.s}, *c = back ? &off : &on;

    r = identity_back(identity_enter(owner, e) == -1 ? -1 : qmail_change_file(c->new_home, c, e), e);
  }
  stralloc_free(&from);
  stralloc_free(&to);
  return r;
}

/* Step 1 taken back.  What the old place has got meanwhile stays there. */
static int unmove_tree(struct site *s, const char *old, const char *new, struct strerr *e) {
  stralloc part = STRALLOC_INIT;
  int r = stralloc_catm(&part, new, COPY_SUFFIX, (char *)0) ? tree_remove(part.s, e) : strerr_sys(e, "unable to move ", old, (char *)0);

  stralloc_free(&part);
  if (r == 0 && exists(new) && exists(old)) r = with_list(new, mail_list_settle, old, e);
  if (r == 0) r = with_list(new, forget_list, old, e);
  if (r == -1 || !exists(new)) return r;
  if (!exists(old) && rename(new, old) == 0) return 0;
  r = tree_copy(new, old, s->copied, s->copied_ctx, e);
  return r == 0 ? tree_remove(new, e) : -1;
}

/* The row still names the old place: so that nothing else is held up by a move that cannot be done, it is as if it
 * had not been begun.  1, or -1 when that cannot be done either (or the row cannot be asked for); e stays. */
static int take_back(struct site *s, const struct strlist *w, struct strerr *e) {
  const char *old = w->item[W_HOME].s, *new = w->item[W_NEW_HOME].s;
  struct strerr ignored;
  struct identity owner = s->mail;
  int r = is_at(s, w->item[W_NAME].s, w->item[W_DOMAIN].s, old, &owner, &ignored);

  if (r == 1 && as_owner(s, &owner, unmove_tree, old, new, &ignored) == 0 && change_qmail(w, 1, &owner, &ignored) == 0) return 1;
  e->permanent = 0;
  return -1;
}

/* Was the user removed?  1 with the owner of what was his, 0, -1. */
static int is_gone(struct site *s, const struct strlist *w, struct identity *owner, struct strerr *e) {
  struct userdb_user u = {0};
  struct userdb_domain d = {0};
  int r = site_enter_db(s, e);
  enum userdb_result v = r == 0 ? userdb_user_get(&s->db, w->item[W_NAME].s, w->item[W_DOMAIN].s, &u, e) : USERDB_TEMPFAIL;

  if (v == USERDB_NONE) v = userdb_user_get(&s->db, w->item[W_NEW_NAME].s, w->item[W_NEW_DOMAIN].s, &u, e);
  r = v == USERDB_TEMPFAIL ? -1 : 0;
  if (v == USERDB_NONE) {
    v = userdb_domain_get(&s->db, w->item[W_NEW_DOMAIN].s, &d, e);
    r = v == USERDB_FOUND ? 1 : v == USERDB_NONE ? 0 : -1;
  }
  if (r == 1) *owner = (struct identity){d.uid, d.gid};
  userdb_user_free(&u);
  userdb_domain_free(&d);
  return identity_back(r, e);
}

/* The old place, under either name. */
static int remove_either(const char *old, struct strerr *e) {
  stralloc aside = STRALLOC_INIT;
  int r = stralloc_catm(&aside, old, GONE_SUFFIX, (char *)0) ? tree_remove(aside.s, e) : strerr_sys(e, "unable to remove ", old, (char *)0);

  stralloc_free(&aside);
  return r == 0 ? tree_remove(old, e) : -1;
}

/* His mail must not be the next one's of that name. */
static int remove_trees(struct site *s, const char *old, const char *new, struct strerr *e) {
  stralloc part = STRALLOC_INIT;
  int r = stralloc_catm(&part, new, COPY_SUFFIX, (char *)0) ? tree_remove(part.s, e) : strerr_sys(e, "unable to remove ", old, (char *)0);

  (void)s;
  stralloc_free(&part);
  if (r == 0) r = with_list(new, forget_list, old, e);
  if (r == 0) r = tree_remove(new, e);
  return r == 0 ? remove_either(old, e) : -1;
}

int account_move_steps(struct site *s, const struct strlist *w, struct strerr *e) {
  const char *old = w->item[W_HOME].s, *new = w->item[W_NEW_HOME].s;
  struct identity owner = s->mail;
  int r = is_at(s, w->item[W_NAME].s, w->item[W_DOMAIN].s, old, &owner, e);

  if (r == 1) {
    r = as_owner(s, &owner, move_tree, old, new, e);
    if (r == 0) r = change_qmail(w, 0, &owner, e);
    if (r == 0) r = move_row(s, w, e);
    if (r == -1) return take_back(s, w, e);
  }
  if (r == 0) r = is_at(s, w->item[W_NEW_NAME].s, w->item[W_NEW_DOMAIN].s, new, &owner, e);
  if (r == 1) return as_owner(s, &owner, merge_tree, old, new, e);
  if (r == 0) r = is_gone(s, w, &owner, e);
  return r == 1 ? as_owner(s, &owner, remove_trees, old, new, e) : r;
}

/* --- what is asked for */

struct plan {
  struct userdb_user u;
  struct userdb_domain d; /* where it goes */
  stralloc home;          /* the new one */
};

static void plan_free(struct plan *p) {
  userdb_user_free(&p->u);
  userdb_domain_free(&p->d);
  stralloc_free(&p->home);
}

static int found(enum userdb_result r, const struct address *a, const char *what, struct strerr *e) {
  return r == USERDB_FOUND ? 0 : r == USERDB_NONE ? site_permanent(e, what ? a->user.s : a->domain.s, what ? what : "there is no such domain") : -1;
}

/* Reads the user and the domain that to is in. */
static int look_up(struct site *s, const struct address *from, const struct address *to, struct plan *p, struct strerr *e) {
  stralloc real = STRALLOC_INIT;
  int r = found(userdb_user_get(&s->db, from->user.s, from->domain.s, &p->u, e), from, "there is no such user", e);

  if (r == 0) r = found(userdb_domain_real(&s->db, to->domain.s, &real, e), to, 0, e);
  if (r == 0) r = found(userdb_domain_get(&s->db, real.s, &p->d, e), to, 0, e);
  if (r == 0 && (p->d.uid != p->u.uid || p->d.gid != p->u.gid))
    r = site_permanent(e, to->domain.s, "belongs to another account than the mailbox");
  stralloc_free(&real);
  return r;
}

/* The place that is asked for, or one below base (the domain's where it is "") that is free. */
static int choose_home(struct site *s, const struct account_move *m, const char *name, struct plan *p, struct strerr *e) {
  stralloc base = STRALLOC_INIT;
  struct userdb_new_user n = {.name = name, .domain = p->d.domain.s};
  int r;

  if (m->home) return stralloc_copys(&p->home, m->home) ? 0 : strerr_sys(e, "unable to move ", name, (char *)0);
  r = site_base(*m->base ? m->base : stralloc_cstr(&p->d.base), &base, e);
  if (r == 0) r = site_per_level(s, stralloc_cstr(&p->d.dir), &n.per_level, e);
  n.base = stralloc_cstr(&base);
  if (r == 0) r = userdb_home_next(&s->db, &n, m->dry_run, &p->home, e) == USERDB_FOUND ? 0 : -1;
  stralloc_free(&base);
  return r;
}

static int plan_move(struct site *s, const struct account_move *m, struct plan *p, struct strerr *e) {
  struct userdb_user other = {0};
  int renamed, r = site_enter_db(s, e);

  if (r == 0) r = look_up(s, m->from, m->to, p, e);
  if (r == 0) {
    renamed = !stralloc_equals(&p->u.name, m->to->user.s) || !stralloc_equals(&p->u.domain, p->d.domain.s);
    if (renamed) {
      enum userdb_result v = userdb_user_get(&s->db, m->to->user.s, p->d.domain.s, &other, e);

      r = v == USERDB_NONE ? 0 : v == USERDB_FOUND ? site_permanent(e, m->to->user.s, "the user exists") : -1;
    }
  }
  if (r == 0) r = choose_home(s, m, m->to->user.s, p, e);
  userdb_user_free(&other);
  return identity_back(r, e);
}

static int move_locked(struct site *s, const struct account_move *m, struct plan *p, struct strerr *e) {
  const char *words[UNFINISHED_USER_WORDS + 1] = {"user"};
  int r = unfinished_finish(s, e) == -1 ? -1 : plan_move(s, m, p, e);
  const struct identity owner = {p->u.uid, p->u.gid};

  if (r == 0 && exists(p->home.s)) r = site_permanent(e, p->home.s, "is in the way");
  if (r == -1 || m->dry_run) return r;
  if (*m->base && domain_trees_make(m->base, p->d.domain.s, &owner, e) == -1) return -1;
  words[W_NAME] = p->u.name.s;
  words[W_DOMAIN] = p->u.domain.s;
  words[W_HOME] = stralloc_cstr(&p->u.home);
  words[W_NEW_NAME] = m->to->user.s;
  words[W_NEW_DOMAIN] = p->d.domain.s;
  words[W_NEW_HOME] = p->home.s;
  if (unfinished_write(words, e) == -1) return -1;
  return unfinished_finish(s, e) == 1 ? 0 : -1;
}

int account_move(struct site *s, const struct account_move *m, stralloc *old, stralloc *new, struct strerr *e) {
  struct plan p = {.home = STRALLOC_INIT};
  int lock = site_lock(e);
  int r = lock == -1 ? -1 : move_locked(s, m, &p, e);

  if (r == 0 && (!stralloc_copy(old, &p.u.home) || !stralloc_copy(new, &p.home))) r = strerr_sys(e, "unable to say what was done", (char *)0);
  plan_free(&p);
  fd_close(lock);
  return r;
}
