/* env: see env.h. */
#include "base/env.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

const char *env_get(const char *name) {
  return getenv(name);
}

int env_is_secure(void) {
  return getauxval(AT_SECURE) != 0;
}

const char *env_trusted(const char *name) {
  return env_is_secure() ? 0 : getenv(name);
}

int env_import(struct env *e) {
  for (char **p = environ; *p; ++p)
    if (!strlist_add(&e->vars, *p, strlen(*p))) return 0;
  return 1;
}

static long find(const struct env *e, const char *name) {
  size_t n = strlen(name);

  for (size_t i = 0; i < e->vars.len; ++i)
    if (e->vars.item[i].len > n && e->vars.item[i].s[n] == '=' && !memcmp(e->vars.item[i].s, name, n))
      return (long)i;
  return -1;
}

int env_set(struct env *e, const char *name, const char *value) {
  stralloc var = STRALLOC_INIT;
  int ok = stralloc_catm(&var, name, "=", value, (char *)0);
  long i = find(e, name);

  if (ok && i >= 0) {
    stralloc_free(&e->vars.item[i]);
    e->vars.item[i] = var;
    return 1;
  }
  ok = ok && strlist_add(&e->vars, var.s, var.len);
  stralloc_free(&var);
  return ok;
}

int env_setu64(struct env *e, const char *name, uint64_t value) {
  stralloc s = STRALLOC_INIT;
  int ok = stralloc_catu64(&s, value) && env_set(e, name, s.s);

  stralloc_free(&s);
  return ok;
}

void env_unset(struct env *e, const char *name) {
  long i = find(e, name);

  if (i < 0) return;
  stralloc_free(&e->vars.item[i]);
  e->vars.item[i] = e->vars.item[--e->vars.len];
}

const char *env_lookup(const struct env *e, const char *name) {
  long i = find(e, name);

  return i < 0 ? 0 : e->vars.item[i].s + strlen(name) + 1;
}

char *const *env_vector(struct env *e) {
  char **v = reallocarray(e->vector, e->vars.len + 1, sizeof *v);

  if (!v) return 0;
  e->vector = v;
  for (size_t i = 0; i < e->vars.len; ++i) v[i] = e->vars.item[i].s;
  v[e->vars.len] = 0;
  return v;
}

void env_free(struct env *e) {
  strlist_free(&e->vars);
  free(e->vector);
  e->vector = 0;
}
