/* layout: see layout.h. */
#include "user/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/userdb_change.h"

static int no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to look at the users", (char *)0);
}

static int add_user(void *ctx, const char *name, const char *home, int active) {
  struct layout *l = ctx;

  return !strlist_add(&l->names, name, strlen(name)) || !strlist_add(&l->homes, home, strlen(home));
}

/* The directory between BASE/bucket/domain/ and the user's own. */
static uint64_t directory_of(const char *home, const char *prefix, size_t n) {
  const char *slash = strrchr(home, '/');
  char dir[DIRHASH_SIZE] = "";
  uint64_t directory;
  size_t len;

  if (strncmp(home, prefix, n) != 0 || !slash || slash + 1 < home + n || slash == home + n) return LAYOUT_ELSEWHERE;
  len = slash + 1 == home + n ? 0 : (size_t)(slash - home) - n;
  if (len >= sizeof dir) return LAYOUT_ELSEWHERE;
  memcpy(dir, home + n, len);
  return dirhash_number(dir, &directory) ? directory : LAYOUT_ELSEWHERE;
}

static size_t bucket_of(const char *name) {
  const char *bucket = dirhash_bucket(name);
  size_t i = 0;

  while (strcmp(dirhash_buckets[i], bucket) != 0) ++i;
  return i;
}

int layout_take(struct layout *l) {
  stralloc prefix = STRALLOC_INIT;
  int ok = 1;

  free(l->user);
  l->users = 0;
  l->user = l->names.len ? calloc(l->names.len, sizeof *l->user) : 0;
  if (l->names.len && !l->user) return 0;
  for (; ok && l->users < l->names.len; ++l->users) {
    struct layout_user *u = &l->user[l->users];

    *u = (struct layout_user){.name = l->names.item[l->users].s, .home = l->homes.item[l->users].s};
    u->bucket = bucket_of(u->name);
    stralloc_cut(&prefix, 0);
    ok = stralloc_catm(&prefix, stralloc_cstr(&l->base), "/", dirhash_buckets[u->bucket], "/", l->domain.s, "/", (char *)0);
    if (ok) u->directory = directory_of(u->home, prefix.s, prefix.len);
  }
  stralloc_free(&prefix);
  return ok;
}

static int read_rows(struct site *s, const char *domain, struct layout *l, struct strerr *e) {
  struct userdb_domain d = {0};
  enum userdb_result r = userdb_domain_real(&s->db, domain, &l->domain, e);
  int done = -1;

  if (r == USERDB_FOUND) r = userdb_domain_get(&s->db, l->domain.s, &d, e);
  if (r == USERDB_NONE) site_permanent(e, domain, "there is no such domain");
  if (r == USERDB_FOUND) {
    l->owner = (struct identity){d.uid, d.gid};
    done = stralloc_copy(&l->dir, &d.dir) ? site_base(stralloc_cstr(&d.base), &l->base, e) : no_memory(e);
  }
  if (done == 0) done = site_per_level(s, stralloc_cstr(&d.dir), &l->per_level, e);
  if (done == 0 && userdb_user_each(&s->db, l->domain.s, add_user, l, e) == USERDB_TEMPFAIL) done = -1;
  for (size_t i = 0; done == 0 && i < DIRHASH_BUCKETS; ++i)
    if (userdb_placed(&s->db, l->domain.s, dirhash_buckets[i], &l->placed[i], e) == USERDB_TEMPFAIL) done = -1;
  userdb_domain_free(&d);
  return done;
}

int layout_read(struct site *s, const char *domain, struct layout *l, struct strerr *e) {
  int r = site_enter_db(s, e);

  if (r == 0) r = read_rows(s, domain, l, e);
  if (r == 0 && !layout_take(l)) r = no_memory(e);
  return identity_back(r, e);
}

void layout_free(struct layout *l) {
  stralloc_free(&l->domain);
  stralloc_free(&l->base);
  stralloc_free(&l->dir);
  strlist_free(&l->names);
  strlist_free(&l->homes);
  free(l->user);
  l->user = 0;
  l->users = 0;
}
