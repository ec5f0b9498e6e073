/* old_users: see old_users.h.
 *
 * A user is old when neither a login (of lastauth; else when he was made) nor, unless forced, a
 * change of his inbox is newer than so many days.  Names every domain must have, groups, and those
 * with a spared comment never are.  What could not be found out ends the run: it is never taken for
 * "no login". */
#include "user/old_users.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "conf/paths.h"
#include "user/account.h"
#include "user/account_change.h"
#include "user/maildir_sweep.h"

#define DAY 86400

struct run {
  struct site *s;
  struct old_users *o;
};

static int no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to look at users", (char *)0);
}

static int is_spared(const struct old_users *o, const struct userdb_user *u) {
  if (account_is_reserved(u->name.s) || account_is_group(u)) return 1;
  for (size_t i = 0; i < o->spared.len; ++i)
    if (stralloc_equals(&u->gecos, stralloc_cstr(&o->spared.item[i]))) return 1;
  return 0;
}

static int take_login(void *ctx, const char *service, const char *ip, int64_t at) {
  static const char *const logins[] = {"imap", "pop3", "webm", "smtp"};
  int64_t *last = ctx;

  for (size_t i = 0; i < sizeof logins / sizeof *logins; ++i)
    if (!strcmp(service, logins[i]) && at > *last) *last = at;
  return 0;
}

static int last_login(struct site *s, const struct userdb_user *u, int64_t *last, struct strerr *e) {
  int r = site_enter_db(s, e);

  *last = u->created;
  if (r == 0 && userdb_lastauth_each(&s->db, u->name.s, u->domain.s, take_login, last, e) == USERDB_TEMPFAIL) r = -1;
  return identity_back(r, e);
}

/* --- as the owner of the mailbox */

static int as_owner(const struct userdb_user *u, int (*fn)(struct run *, const char *, struct usage *, struct strerr *), struct run *run,
                    struct usage *mail, struct strerr *e) {
  const struct identity owner = {u->uid, u->gid};
  stralloc maildir = STRALLOC_INIT;
  int r = stralloc_catm(&maildir, u->home.s, "/Maildir", (char *)0) ? identity_enter(&owner, e) : no_memory(e);

  if (r == 0) r = fn(run, maildir.s, mail, e);
  stralloc_free(&maildir);
  return identity_back(r, e);
}

/* 1 when the inbox has not changed for so long, 0, -1. */
static int is_still(struct run *run, const char *maildir, struct usage *mail, struct strerr *e) {
  stralloc cur = STRALLOC_INIT;
  struct stat st = {.st_mtime = 0};
  int r = stralloc_catm(&cur, maildir, "/cur", (char *)0) ? stat(cur.s, &st) : no_memory(e);

  (void)mail;
  if (r == -1 && cur.len) r = errno == ENOENT ? 0 : strerr_sys(e, "unable to look at ", cur.s, (char *)0);
  stralloc_free(&cur);
  return r == -1 ? -1 : st.st_mtime < run->o->now - (int64_t)run->o->days * DAY;
}

static int is_there(struct run *run, const char *maildir, struct usage *mail, struct strerr *e) {
  return access(maildir, F_OK) == 0 || errno != ENOENT;
}

static int sweep_all(struct run *run, const char *maildir, struct usage *mail, struct strerr *e) {
  const struct sweep w = {.before = INT64_MAX, .dry = run->o->dry};

  return maildir_sweep(maildir, &w, mail, e);
}

static int sweep_unread(struct run *run, const char *maildir, struct usage *mail, struct strerr *e) {
  const struct sweep w = {.before = run->o->now - (int64_t)run->o->unread * DAY, .unread = 1, .dry = run->o->dry};

  return maildir_sweep(maildir, &w, mail, e);
}

static int sweep_folders(struct run *run, const char *maildir, struct usage *mail, struct strerr *e) {
  int r = 0;

  for (size_t i = 0; r == 0 && i < run->o->folders.len; ++i) {
    const struct sweep w = {.folder = run->o->folders.item[i].s, .before = run->o->now - (int64_t)run->o->trash * DAY, .dry = run->o->dry};

    r = maildir_sweep(maildir, &w, mail, e);
  }
  return r;
}

static int remove_home(struct site *s, const struct userdb_user *u, struct strerr *e) {
  const struct identity owner = {u->uid, u->gid};

  (void)s;
  return identity_back(identity_enter(&owner, e) == -1 ? -1 : tree_remove(u->home.s, e), e);
}

/* --- what is done */

/* Out of the way of new mail first; then what is there goes. */
static int inactivate(struct site *s, const struct userdb_user *u, struct strerr *e) {
  const struct address a = {u->name, u->domain};
  const struct account_change c = {.toggle_active = 1};
  struct userdb_user after = {0};
  int r = u->active ? account_change(s, &a, &c, &after, e) : 0;

  userdb_user_free(&after);
  return r == 0 ? remove_home(s, u, e) : -1;
}

static int purge(struct site *s, const struct userdb_user *u, struct strerr *e) {
  const struct address a = {u->name, u->domain};

  return account_delete(s, &a, e);
}

static int nothing(struct site *s, const struct userdb_user *u, struct strerr *e) {
  return 0;
}

/* By enum old_action. */
static const struct {
  const char *what, *would;
  int mail; /* it is about the mail, which is counted */
  int (*fn)(struct site *, const struct userdb_user *, struct strerr *);
} actions[] = {
    [OLD_REPORT] = {"old", "old", 0, nothing},
    [OLD_PURGE] = {"deleted", "would be deleted", 0, purge},
    [OLD_INACTIVATE] = {"made inactive, mail removed", "would be made inactive, mail removed", 0, inactivate},
    [OLD_CLEAN] = {"mail removed", "mail would be removed", 1, nothing},
};

static void tell(const struct old_users *o, const struct userdb_user *u, const char *what, int64_t days, const struct usage *mail) {
  o->tell(o->ctx, u, what, days, mail);
}

static int recount(const struct run *run, const struct userdb_user *u, struct strerr *e) {
  struct usage usage;

  return account_recount(run->s, u, &usage, e) == -1 ? -1 : 0;
}

static int treat_old(struct run *run, const struct userdb_user *u, int64_t days, struct strerr *e) {
  const struct old_users *o = run->o;
  struct usage mail = {0, 0};
  int r = 0;

  if (o->action == OLD_INACTIVATE && !u->active && !as_owner(u, is_there, run, &mail, e)) return 0; /* done before */
  if (actions[o->action].mail) {
    r = as_owner(u, sweep_all, run, &mail, e);
    if (r == 0 && !o->dry && mail.count) r = recount(run, u, e);
    if (r == 0 && !mail.count) return 0;
  }
  if (r == 0 && !o->dry) r = actions[o->action].fn(run->s, u, e);
  if (r == 0) tell(o, u, o->dry ? actions[o->action].would : actions[o->action].what, days, actions[o->action].mail ? &mail : 0);
  return r;
}

/* Of one who still comes: what he does not read, what he has thrown away. */
static int treat_mail(struct run *run, const struct userdb_user *u, int64_t days, struct strerr *e) {
  const struct old_users *o = run->o;
  const struct {
    int wanted;
    int (*fn)(struct run *, const char *, struct usage *, struct strerr *);
    const char *what, *would;
  } sweeps[] = {{o->unread > 0, sweep_unread, "unread mail removed", "unread mail would be removed"},
                {o->trash > 0, sweep_folders, "trash removed", "trash would be removed"}};
  int r = 0, any = 0;

  for (size_t i = 0; r == 0 && i < sizeof sweeps / sizeof *sweeps; ++i) {
    struct usage mail = {0, 0};

    if (!sweeps[i].wanted) continue;
    r = as_owner(u, sweeps[i].fn, run, &mail, e);
    any |= mail.count > 0;
    if (r == 0 && mail.count) tell(o, u, o->dry ? sweeps[i].would : sweeps[i].what, days, &mail);
  }
  return r == 0 && any && !o->dry ? recount(run, u, e) : r;
}

static int treat(void *ctx, const struct userdb_user *u, struct strerr *e) {
  struct run *run = ctx;
  struct usage none = {0, 0};
  int64_t last, days;
  int old;

  if (run->o->stop(run->o->ctx)) return 1;
  if (is_spared(run->o, u)) return 0;
  if (last_login(run->s, u, &last, e) == -1) return -1;
  days = (run->o->now - last) / DAY;
  old = last < run->o->now - (int64_t)run->o->days * DAY;
  if (old && !run->o->force) old = as_owner(u, is_still, run, &none, e);
  if (old == 1) old = treat_old(run, u, days, e);
  else if (old == 0 && u->active) old = treat_mail(run, u, days, e);
  if (old == -1) run->o->fault(run->o->ctx, e);
  return 0;
}

static int lock_alone(struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int fd = -1;

  errno = ENOMEM;
  if (paths_file(PATH_USERS, ".vdeloldusers", &path)) fd = lock_file_nb(path.s);
  if (fd == -1 && errno == EWOULDBLOCK) strerr_set(e, "another one is running", (char *)0);
  else if (fd == -1) strerr_sys(e, "unable to lock ", stralloc_cstr(&path), (char *)0);
  stralloc_free(&path);
  return fd;
}

int old_users_run(struct site *s, struct old_users *o, struct strerr *e) {
  struct run run = {s, o};
  int lock = lock_alone(e);
  int r = lock == -1 ? -1 : account_each(s, o->domain, &o->progress, treat, &run, e);

  fd_close(lock);
  return r;
}
