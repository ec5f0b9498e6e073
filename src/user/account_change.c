/* account_change: see account_change.h. */
#include "user/account_change.h"

#include <errno.h>
#include <string.h>

#include "user/limits.h"
#include "user/quota_reset.h"
#include "user/userdb_overquota.h"

static int no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to change the user", (char *)0);
}

/* More or less than it was; none stays none, and it does not fall below nothing. */
static int change_quota(struct quota *q, const char *text, struct strerr *e) {
  struct quota by;
  int less = *text == '-', relative = less || *text == '+';

  if (!quota_said(text + relative, &by) || (relative && (by.count || !by.bytes)))
    return site_permanent(e, text, "not a quota");
  if (!relative) *q = by;
  else if (!q->bytes) return site_permanent(e, text, "the user has no quota that could be changed by so much");
  else if (less && by.bytes >= q->bytes) return site_permanent(e, text, "nothing would be left of the quota");
  else if (!less && by.bytes > INT64_MAX - q->bytes) return site_permanent(e, text, "the quota would be too large");
  else q->bytes = less ? q->bytes - by.bytes : q->bytes + by.bytes;
  return 0;
}

static int apply(struct userdb_user *u, const struct account_change *c, struct strerr *e) {
  if (c->gecos && !stralloc_copys(&u->gecos, c->gecos)) return no_memory(e);
  if (c->quota && change_quota(&u->quota, c->quota, e) == -1) return -1;
  if (c->toggle_active) u->active = !u->active;
  if (c->clear) u->flags = 0;
  u->flags = c->how == FLAGS_TOGGLE ? u->flags ^ c->flags : u->flags | c->flags;
  return 0;
}

static int outcome(enum userdb_result r, const struct address *a, struct strerr *e) {
  stralloc full = STRALLOC_INIT;

  if (r == USERDB_FOUND) return 0;
  if (r == USERDB_TEMPFAIL) return -1;
  if (stralloc_catm(&full, a->user.s, "@", a->domain.s, (char *)0)) site_permanent(e, full.s, "there is no such user");
  stralloc_free(&full);
  return -1;
}

/* What the domain's limits say of another quota. */
static int check_limits(struct site *s, const struct userdb_user *u, struct strerr *e) {
  struct userdb_domain d = {0};
  struct limits l;
  const char *why = 0;
  int r = userdb_domain_get(&s->db, u->domain.s, &d, e) == USERDB_FOUND ? 0 : -1;

  if (r == 0) r = limits_in_force(s, u->domain.s, stralloc_cstr(&d.dir), u->name.s, &l, e);
  if (r == 0) why = l.v[LIMIT_PERM_QUOTA] & LIMIT_MODIFY ? "the limits of the domain do not allow another quota" : limits_quota_fault(&l, &u->quota);
  userdb_domain_free(&d);
  return why ? site_permanent(e, u->name.s, why) : r;
}

static int change(struct site *s, const struct address *a, const struct account_change *c, struct userdb_user *u, struct strerr *e) {
  if (sql_begin(&s->db.sql, e) == -1) return -1;
  if (outcome(userdb_user_get(&s->db, a->user.s, a->domain.s, u, e), a, e) == -1 || apply(u, c, e) == -1) return -1;
  if (c->quota && !(u->flags & USER_OVERRIDE_LIMITS) && check_limits(s, u, e) == -1) return -1;
  if (outcome(userdb_user_modify(&s->db, u, e), a, e) == -1) return -1;
  if ((c->clear || c->flags & USER_BOUNCE_MAIL) && userdb_overquota_forget(&s->db, u->name.s, u->domain.s, e) != USERDB_FOUND) return -1;
  return sql_commit(&s->db.sql, e);
}

int account_change(struct site *s, const struct address *a, const struct account_change *c, struct userdb_user *u, struct strerr *e) {
  int r = site_enter_db(s, e);

  if (r == 0) {
    r = change(s, a, c, u, e);
    sql_rollback(&s->db.sql); /* after a commit there is nothing to take back */
  }
  return identity_back(r, e);
}

/* Who was found over quota gets mail again, now that it fits. */
static int see_room(struct site *s, const struct userdb_user *u, const struct usage *usage, struct strerr *e) {
  const struct quota *q = &u->quota;
  int r;

  if (!(u->flags & USER_BOUNCE_MAIL) || (q->bytes && (uint64_t)usage->bytes >= q->bytes) || (q->count && (uint64_t)usage->count >= q->count)) return 0;
  r = site_enter_db(s, e);
  if (r == 0 && userdb_overquota_set(&s->db, u->name.s, u->domain.s, 0, e) == USERDB_TEMPFAIL) r = -1;
  return identity_back(r, e);
}

int account_recount(struct site *s, const struct userdb_user *u, struct usage *usage, struct strerr *e) {
  const struct identity owner = {u->uid, u->gid};
  const struct quota_reset q = {&owner, &u->quota, 0, maildirsize_rules(&s->conf)};
  stralloc maildir = STRALLOC_INIT;
  int r = stralloc_catm(&maildir, u->home.s, "/Maildir", (char *)0) ? quota_reset(maildir.s, &q, usage, e) : no_memory(e);

  if (r == 1) *usage = (struct usage){0, 0};
  if (r != -1 && see_room(s, u, usage, e) == -1) r = -1;
  stralloc_free(&maildir);
  return r;
}
