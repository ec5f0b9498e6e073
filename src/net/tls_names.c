/* tls_names: see tls_names.h. */
#include "net/tls_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "net/keeper.h"

#define LOOK_EVERY 1 /* seconds */

int tls_names_same_file(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
         a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void forget(struct tls_name *p) {
  tls_engine_context_free(p->context);
  free(p->name);
  memset(p, 0, sizeof *p);
}

/* The place of a name; else a free one, or that which was used longest ago. */
static struct tls_name *place_of(struct tls_names *t, const char *name) {
  struct tls_name *oldest = &t->place[0];

  for (size_t i = 0; i < TLS_NAMES_MAX; ++i) {
    struct tls_name *p = &t->place[i];

    if (p->name && !strcmp(p->name, name)) return p;
    if (oldest->name && (!p->name || p->used < oldest->used)) oldest = p;
  }
  return oldest;
}

/* A damaged file leaves the certificate that was there in use. */
static void load(struct tls_names *t, struct tls_name *p, const char *name, int fd, const struct stat *st) {
  struct strerr e;
  struct ssl_ctx_st *fresh = tls_engine_context(t->engine, fd, name, &e);
  char *copy = fresh && !p->name ? strdup(name) : 0;

  p->seen = *st;
  if (!fresh || (!p->name && !copy)) {
    if (!fresh) t->warn(t->ctx, &e);
    tls_engine_context_free(fresh);
    return;
  }
  tls_engine_context_free(p->context);
  p->context = fresh;
  if (copy) p->name = copy;
}

static void look(struct tls_names *t, struct tls_name *p, const char *name) {
  int fd = t->open(t->ctx, name);
  struct stat st;

  if (fd == -1 && errno == ENOENT && p->name) forget(p);
  if (fd == -1 || fstat(fd, &st) == -1) {
    fd_close(fd);
    return;
  }
  if (!p->name || !tls_names_same_file(&st, &p->seen)) load(t, p, name, fd, &st);
  fd_close(fd);
  p->next_look = deadline_in(LOOK_EVERY);
}

struct ssl_ctx_st *tls_names_find(struct tls_names *t, const char *name) {
  char lower[KEEPER_NAME_MAX + 1];
  size_t n = strlen(name);
  struct tls_name *p;

  if (n && name[n - 1] == '.') --n;
  if (n > KEEPER_NAME_MAX) return 0;
  memcpy(lower, name, n);
  lower[n] = 0;
  bytes_lower(lower, n);
  if (!keeper_name_ok(lower)) return 0;
  p = place_of(t, lower);
  if (p->name && strcmp(p->name, lower) != 0) { /* somebody else's place: only for one that has a file */
    struct tls_name fresh = {0};

    look(t, &fresh, lower);
    if (!fresh.name) return 0;
    forget(p);
    *p = fresh;
  } else if (!p->name || mono_now() >= p->next_look) {
    look(t, p, lower);
  }
  if (!p->name) return 0;
  p->used = mono_now();
  return p->context;
}

void tls_names_flush(struct tls_names *t) {
  for (size_t i = 0; i < TLS_NAMES_MAX; ++i) forget(&t->place[i]);
}
