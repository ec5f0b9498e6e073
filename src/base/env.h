/* env: the environment is read at start and written at exec; nowhere is it used
 * as a variable.  A struct env is the environment a child will get. */
#ifndef BASE_ENV_H
#define BASE_ENV_H

#include "base/stralloc.h"
#include "base/strlist.h"

/* The process's own environment: the value, or null.  env_trusted gives null when
 * the program was started with more rights than its caller has (AT_SECURE), so an
 * override of paths goes through it.  Borrowed; valid until the process ends. */
const char *env_get(const char *name);
const char *env_trusted(const char *name);
int env_is_secure(void);

struct env {
  struct strlist vars; /* NAME=value; NAME alone: not set, whatever we inherit says */
  char **vector;       /* what env_vector handed out */
  int inherit;         /* what is not here is as in the process's own environment */
};

/* Start from the process's environment, or from nothing with a zeroed struct. */
int env_import(struct env *e) MUST_CHECK;
/* A copy: from null is what the process itself has. */
int env_copy(struct env *to, const struct env *from) MUST_CHECK;
/* Add NAME=value as it stands, in place of an older one. */
int env_put(struct env *e, const char *var) MUST_CHECK;
int env_set(struct env *e, const char *name, const char *value) MUST_CHECK;
int env_setu64(struct env *e, const char *name, uint64_t value) MUST_CHECK;
/* 1, or 0 (only where we inherit) when memory ran out. */
int env_unset(struct env *e, const char *name);
/* Its value, or null.  Borrowed until e changes. */
const char *env_lookup(const struct env *e, const char *name);
/* A null-terminated vector, owned by e and valid until the next call on it; null
 * when memory ran out. */
char *const *env_vector(struct env *e) MUST_CHECK;
void env_free(struct env *e);

#endif
