/* account_load: see account_load.h. */
#include "user/account_load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strlist.h"
#include "user/account_target.h"
#include "user/user_line.h"
#include "user/userdb.h"

#define BATCH 1000

struct list {
  struct user_line *user;
  size_t n, a;
};

static int fault(struct strerr *e, uint64_t line, const char *why) {
  stralloc number = STRALLOC_INIT;

  (void)!stralloc_catu64(&number, line);
  strerr_set(e, "line ", stralloc_cstr(&number), ": ", why, (char *)0);
  e->permanent = strcmp(why, "out of memory") != 0;
  stralloc_free(&number);
  return -1;
}

/* --- the list */

static struct user_line *one_more(struct list *l) {
  if (l->n == l->a) {
    size_t a = l->a ? 2 * l->a : 1024;
    struct user_line *user = reallocarray(l->user, a, sizeof *user);

    if (!user) return 0;
    l->user = user;
    l->a = a;
  }
  memset(&l->user[l->n], 0, sizeof l->user[l->n]);
  return &l->user[l->n++];
}

static int add_line(struct list *l, const stralloc *text, uint64_t number, int keep_homes, struct strerr *e) {
  struct user_line *u = one_more(l);
  const char *why = u ? user_line_parse(text->s, text->len, u) : "out of memory";

  if (!why && keep_homes) why = user_home_fault(stralloc_cstr(&u->home), u->name.s);
  return why ? fault(e, number, why) : 0;
}

static int read_list(substdio *in, struct list *l, int keep_homes, struct strerr *e) {
  stralloc text = STRALLOC_INIT;
  uint64_t number = 0;
  int match = 1, r = 0;

  while (r == 0 && match) {
    stralloc_cut(&text, 0);
    if (getln(in, &text, &match, '\n', USER_LINE_MAX) == -1) {
      r = fault(e, number + 1, errno == EMSGSIZE ? "too long" : "it cannot be read");
      break;
    }
    ++number;
    if (match) stralloc_cut(&text, text.len - 1);
    if (text.len && text.s[0] != '#') r = add_line(l, &text, number, keep_homes, e);
  }
  stralloc_wipe(&text); /* vpasswd may have passwords in clear */
  stralloc_free(&text);
  return r;
}

static void free_list(struct list *l) {
  for (size_t i = 0; i < l->n; ++i) user_line_free(&l->user[i]);
  free(l->user);
}

/* --- users */

static int set_flags(struct site *s, const struct account_target *t, const struct user_line *u, struct strerr *e) {
  struct userdb_user user = {.flags = 0};
  enum userdb_result r = userdb_user_get(&s->db, u->name.s, t->real.s, &user, e);

  user.flags = u->flags;
  if (r == USERDB_FOUND) r = userdb_user_modify(&s->db, &user, e);
  userdb_user_free(&user);
  return r == USERDB_FOUND ? 0 : -1;
}

static int add(struct site *s, struct account_load *l, const struct account_target *t, const struct user_line *u, struct strlist *homes, stralloc *home, struct strerr *e) {
  const struct userdb_new_user n = {
      .name = u->name.s,
      .domain = t->real.s,
      .hash = u->hash.s,
      .scram = "",
      .gecos = u->comment.s,
      .quota = u->has_quota ? u->quota : t->quota,
      .active = l->active,
      .home = l->keep_homes ? u->home.s : 0,
      .base = t->base.s,
      .per_level = t->per_level,
      .max_users = account_target_max(t),
  };
  const char *why = limits_quota_fault(&t->limits, &n.quota);
  int active, bounce;
  enum userdb_result r;

  if (why) return site_permanent(e, u->name.s, why);
  r = userdb_user_state(&s->db, u->name.s, t->real.s, &active, &bounce, e);
  if (r == USERDB_FOUND) {
    ++l->there;
    return 0;
  }
  if (r == USERDB_NONE) r = userdb_user_add_more(&s->db, &n, home, e);
  if (r == USERDB_NONE || r == USERDB_EXISTS) return strerr_set(e, u->name.s, ": the domain has changed meanwhile", (char *)0);
  if (r != USERDB_FOUND || (!l->keep_homes && !strlist_add(homes, home->s, home->len))) return -1;
  ++l->added;
  return u->flags ? set_flags(s, t, u, e) : 0;
}

/* Nothing lies in these places.  The mail user need not see them: for a while we are the owner of the domain. */
static int check_homes(const struct site *s, const struct account_target *t, const struct strlist *homes, struct strerr *e) {
  const struct identity owner = {t->d.uid, t->d.gid};
  struct strerr worse;
  int r = identity_leave(e) == -1 || identity_enter(&owner, e) == -1 ? -1 : 0;

  for (size_t i = 0; r == 0 && i < homes->len; ++i) r = account_home_free(homes->item[i].s, e);
  if (identity_leave(&worse) == -1 || identity_enter(&s->mail, &worse) == -1) {
    *e = worse;
    r = -1;
  }
  return r;
}

/* Users first to last: all of them, or none. */
static int add_batch(struct site *s, struct account_load *l, const struct account_target *t, const struct user_line *u, size_t n, struct strerr *e) {
  const uint64_t added = l->added, there = l->there;
  stralloc home = STRALLOC_INIT;
  struct strlist homes = {0};
  int r = sql_begin(&s->db.sql, e);

  for (size_t i = 0; r == 0 && i < n; ++i) r = add(s, l, t, &u[i], &homes, &home, e);
  if (r == 0) r = check_homes(s, t, &homes, e);
  if (r == 0) r = sql_commit(&s->db.sql, e);
  sql_rollback(&s->db.sql); /* after a commit there is nothing to take back */
  stralloc_free(&home);
  strlist_free(&homes);
  if (r == -1) l->added = added, l->there = there;
  for (size_t i = 0; r == 0 && i < n; ++i) progress_step(l->progress);
  return r;
}

static int load(struct site *s, struct account_load *l, const struct list *list, struct strerr *e) {
  const struct account_wish wish = {l->domain, "", 0, l->quota};
  struct account_target t;
  int r = account_target_find(s, &wish, &t, e);

  progress_start(l->progress, list->n);
  for (size_t i = 0; r == 0 && i < list->n; i += BATCH)
    r = add_batch(s, l, &t, &list->user[i], list->n - i < BATCH ? list->n - i : BATCH, e);
  progress_clear(l->progress);
  account_target_free(&t);
  return r;
}

int account_load(struct site *s, struct account_load *l, substdio *in, struct strerr *e) {
  struct list list = {0};
  int r = read_list(in, &list, l->keep_homes, e);

  l->added = l->there = 0;
  if (r == 0) r = site_enter_db(s, e);
  if (r == 0) r = identity_back(load(s, l, &list, e), e);
  free_list(&list);
  return r;
}
