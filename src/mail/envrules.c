/* envrules: see envrules.h. */
#include "mail/envrules.h"

#include <string.h>

#include "base/bytes.h"
#include "mail/addrlist.h"

static int matches(const char *line, size_t colon, const char *address, size_t n, stralloc *pattern) {
  if (!stralloc_copyb(pattern, line, colon)) return -1;
  if (!colon || stralloc_equals(pattern, "<>")) return n == 0;
  return n && addrlist_line(pattern->s, address, n);
}

/* One assignment, "VAR=value" without its escapes.  What is none is passed over. */
static int assign(struct env *env, stralloc *one) {
  size_t name = bytes_chr(one->s, one->len, '=');

  if (!name || name == one->len) return 1;
  if (name + 1 < one->len) return env_put(env, one->s);
  stralloc_cut(one, name);
  return env_unset(env, one->s) || !env->inherit;
}

/* The next assignment at *s, without its escapes, into one: 1, 0 at the end, -1 no memory. */
static int next(const char **s, stralloc *one) {
  stralloc_cut(one, 0);
  if (!**s) return 0;
  for (; **s && **s != ','; ++*s) {
    if ((*s)[0] == '\\' && ((*s)[1] == ',' || (*s)[1] == '\\')) ++*s;
    if (!stralloc_append(one, **s)) return -1;
  }
  *s += **s == ',';
  return 1;
}

static int apply(const char *s, struct env *env, stralloc *one) {
  int r;

  while ((r = next(&s, one)) == 1)
    if (one->len && !assign(env, one)) return 0;
  return r == 0;
}

int envrules_apply(const struct strlist *rules, const char *address, size_t n, struct env *env) {
  stralloc scratch = STRALLOC_INIT;
  int count = 0;

  for (size_t i = 0; count >= 0 && i < rules->len; ++i) {
    const stralloc *line = &rules->item[i];
    size_t colon = bytes_chr(line->s, line->len, ':');
    int match = colon < line->len ? matches(line->s, colon, address, n, &scratch) : 0;

    if (match == 1) match = apply(line->s + colon + 1, env, &scratch) ? 1 : -1;
    count = match == -1 ? -1 : count + match;
  }
  stralloc_free(&scratch);
  return count;
}

int envrules_variables(const struct strlist *rules, struct strlist *out) {
  stralloc one = STRALLOC_INIT;
  int r = 0;

  for (size_t i = 0; r == 0 && i < rules->len; ++i) {
    const stralloc *line = &rules->item[i];
    size_t colon = bytes_chr(line->s, line->len, ':');
    const char *s = line->s + colon + 1;

    if (colon == line->len) continue;
    while ((r = next(&s, &one)) == 1)
      if (memchr(one.s, '=', one.len) && !strlist_add(out, one.s, one.len)) break;
  }
  stralloc_free(&one);
  return r == 0;
}
