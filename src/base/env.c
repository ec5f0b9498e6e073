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
  e->inherit = 1;
  return 1;
}

int env_copy(struct env *to, const struct env *from) {
  memset(to, 0, sizeof *to);
  to->inherit = !from || from->inherit;
  for (size_t i = 0; from && i < from->vars.len; ++i)
    if (!strlist_add(&to->vars, from->vars.item[i].s, from->vars.item[i].len)) return 0;
  return 1;
}

/* Is it this variable, set or marked as not set? */
static int is(const char *var, const char *name, size_t n) {
  return !strncmp(var, name, n) && (var[n] == '=' || !var[n]);
}

static long find(const struct env *e, const char *name, size_t n) {
  for (size_t i = 0; i < e->vars.len; ++i)
    if (is(e->vars.item[i].s, name, n)) return (long)i;
  return -1;
}

int env_put(struct env *e, const char *var) {
  long i = find(e, var, strcspn(var, "="));

  if (i >= 0) return stralloc_copys(&e->vars.item[i], var);
  return strlist_add(&e->vars, var, strlen(var));
}

int env_set(struct env *e, const char *name, const char *value) {
  stralloc var = STRALLOC_INIT;
  int ok = stralloc_catm(&var, name, "=", value, (char *)0) && env_put(e, var.s);

  stralloc_free(&var);
  return ok;
}

int env_setu64(struct env *e, const char *name, uint64_t value) {
  stralloc s = STRALLOC_INIT;
  int ok = stralloc_catu64(&s, value) && env_set(e, name, s.s);

  stralloc_free(&s);
  return ok;
}

int env_unset(struct env *e, const char *name) {
  long i = find(e, name, strlen(name));

  if (e->inherit && getenv(name)) return env_put(e, name);
  if (i < 0) return 1;
  stralloc_free(&e->vars.item[i]);
  e->vars.item[i] = e->vars.item[--e->vars.len];
  return 1;
}

const char *env_lookup(const struct env *e, const char *name) {
  size_t n = strlen(name);
  long i = find(e, name, n);

  if (i < 0) return e->inherit ? getenv(name) : 0;
  return e->vars.item[i].s[n] ? e->vars.item[i].s + n + 1 : 0;
}

char *const *env_vector(struct env *e) {
  size_t inherited = 0;
  size_t n = 0;
  char **v;

  while (e->inherit && environ[inherited]) ++inherited;
  v = reallocarray(e->vector, e->vars.len + inherited + 1, sizeof *v);
  if (!v) return 0;
  e->vector = v;
  for (size_t i = 0; i < inherited; ++i)
    if (find(e, environ[i], strcspn(environ[i], "=")) < 0) v[n++] = environ[i];
  for (size_t i = 0; i < e->vars.len; ++i)
    if (strchr(e->vars.item[i].s, '=')) v[n++] = e->vars.item[i].s;
  v[n] = 0;
  return v;
}

void env_free(struct env *e) {
  strlist_free(&e->vars);
  free(e->vector);
  e->vector = 0;
  e->inherit = 0;
}
