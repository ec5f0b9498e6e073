/* reorganize: see reorganize.h.  The number of users a directory comes first and the counts of places
 * last: a user added meanwhile, or after a kill, finds a place in any case. */
#include "user/reorganize.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "user/account.h"
#include "user/domain_files.h"
#include "user/layout_plan.h"
#include "user/tree.h"
#include "user/unfinished.h"
#include "user/userdb_change.h"

static int no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to move users", (char *)0);
}

/* What a killed program left, before homes are looked at. */
static int finish_others(struct site *s, struct strerr *e) {
  int lock = site_lock(e);
  int r = lock == -1 ? -1 : unfinished_finish(s, e);

  fd_close(lock);
  return r == -1 ? -1 : 0;
}

/* Which entry of the list has no user: its index, or -1. */
static long unknown(const struct strlist *only, const char *known) {
  for (size_t i = 0; i < only->len; ++i) /* the search gives the first of those that are equal */
    if (!known[strlist_find_sorted(only, stralloc_cstr(&only->item[i]))]) return (long)i;
  return -1;
}

/* Marks the users of the list; null for all. */
static int choose(const struct reorganize *g, const struct layout *l, char **chosen, struct strerr *e) {
  char *known = calloc(g->only->len + 1, 1);
  long wrong = -1;

  *chosen = g->only->len ? calloc(l->users + 1, 1) : 0;
  if (!known || (g->only->len && !*chosen)) {
    free(known);
    return no_memory(e);
  }
  strlist_sort(g->only);
  for (size_t i = 0; *chosen && i < l->users; ++i) {
    long k = strlist_find_sorted(g->only, l->user[i].name);

    if (k != -1) known[k] = (*chosen)[i] = 1;
  }
  wrong = unknown(g->only, known);
  free(known);
  return wrong == -1 ? 0 : site_permanent(e, stralloc_cstr(&g->only->item[wrong]), "there is no such user");
}

static int move(struct site *s, const struct reorganize *g, const struct layout *l, size_t i, uint64_t target, struct strerr *e) {
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  stralloc home = STRALLOC_INIT, old = STRALLOC_INIT, new = STRALLOC_INIT;
  uint64_t size = l->per_level ? l->per_level : 1;
  int r = stralloc_copys(&a.user, l->user[i].name) && stralloc_copy(&a.domain, &l->domain) &&
                  dirhash_home(&home, stralloc_cstr(&l->base), l->domain.s, l->user[i].name, target * size, size)
              ? 0
              : no_memory(e);
  const struct account_move m = {.from = &a, .to = &a, .base = "", .home = home.s};

  if (r == 0 && !g->dry) r = account_move(s, &m, &old, &new, e);
  if (r == 0) g->tell(g->ctx, l->user[i].name, l->user[i].home, home.s);
  address_free(&a);
  stralloc_free(&home);
  stralloc_free(&old);
  stralloc_free(&new);
  return r;
}

static int set_counts(struct site *s, const struct reorganize *g, const struct layout *l, const struct layout_plan *p, struct strerr *e) {
  int r = site_enter_db(s, e);

  for (size_t i = 0; r == 0 && i < DIRHASH_BUCKETS; ++i) {
    if (p->users[i] == l->placed[i] || (g->keep && p->users[i] < l->placed[i])) continue;
    r = userdb_placed_set(&s->db, l->domain.s, dirhash_buckets[i], p->users[i], e) == USERDB_FOUND ? 0 : -1;
  }
  return identity_back(r, e);
}

static int is_hashdir(const char *name) {
  uint64_t directory;

  return !name[1] && dirhash_number(name, &directory);
}

/* Directories without users are of no use, and a user of one letter has none of these names.  A delivery that
 * wanted one of them just now makes it again. */
static int remove_empty(const struct layout *l, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int r = identity_enter(&l->owner, e);

  for (size_t i = 0; r == 0 && i < DIRHASH_BUCKETS; ++i) {
    stralloc_cut(&path, 0);
    r = stralloc_catm(&path, stralloc_cstr(&l->base), "/", dirhash_buckets[i], "/", l->domain.s, (char *)0) ? tree_prune(path.s, is_hashdir, DIRHASH_DEPTH, e)
                                                                                                            : no_memory(e);
  }
  stralloc_free(&path);
  return identity_back(r, e);
}

/* A user who cannot be moved stays, and the count with him, so that nobody gets his place. */
static int carry_out(struct site *s, struct reorganize *g, const struct layout *l, const struct layout_plan *p, struct strerr *e) {
  int faults = 0;

  progress_start(&g->progress, p->moves);
  for (size_t i = 0; i < l->users; ++i) {
    if (p->target[i] == LAYOUT_ELSEWHERE) continue;
    if (move(s, g, l, i, p->target[i], e) == -1) {
      g->fault(g->ctx, e);
      faults = 1;
    }
    progress_step(&g->progress);
  }
  progress_clear(&g->progress);
  if (g->dry) return 0;
  if (!faults && set_counts(s, g, l, p, e) == -1) return -1;
  return remove_empty(l, e);
}

int reorganize_run(struct site *s, struct reorganize *g, struct strerr *e) {
  struct layout l = {0};
  struct layout_plan p = {0};
  char *chosen = 0;
  int r = g->dry ? 0 : finish_others(s, e);

  if (r == 0) r = layout_read(s, g->domain, &l, e);
  if (r == 0 && g->per_level) l.per_level = g->per_level;
  if (r == 0) r = choose(g, &l, &chosen, e);
  if (r == 0 && g->per_level && !g->dry)
    r = domain_per_level_write(stralloc_cstr(&l.dir), g->per_level, &(struct identity){l.owner.uid, s->mail.gid}, e);
  if (r == 0 && !layout_plan(&l, chosen, g->anew, &p)) r = no_memory(e);
  if (r == 0) r = carry_out(s, g, &l, &p, e);
  free(chosen);
  layout_plan_free(&p);
  layout_free(&l);
  return r;
}
