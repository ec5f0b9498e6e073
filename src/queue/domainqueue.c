/* domainqueue: see domainqueue.h. */
#include "queue/domainqueue.h"

#include <fnmatch.h>
#include <string.h>

#include "base/bytes.h"

static const char *const variables[] = {"QUEUEDIR",    "QUEUE_BASE", "QUEUE_COUNT",
                                        "QUEUE_START", "MIN_FREE",   "QMAILQUEUE"};

/* 1, 0, or -1 when memory ran out. */
static int fits(const stralloc *rule, size_t colon, const char *domain, stralloc *pattern) {
  if (!stralloc_copyb(pattern, rule->s, colon)) return -1;
  return fnmatch(pattern->s, domain, FNM_CASEFOLD | FNM_NOESCAPE) == 0;
}

int domainqueue_find(const struct strlist *rules, const char *address, size_t n, const char **found) {
  size_t at = bytes_rchr(address, n, '@');
  stralloc domain = STRALLOC_INIT, pattern = STRALLOC_INIT;
  int got = 0;

  *found = 0;
  if (rules->len && !stralloc_copyb(&domain, address + (at < n ? at + 1 : n), at < n ? n - at - 1 : 0)) got = -1;
  for (size_t i = rules->len; i-- > 0 && got == 0;) {
    const stralloc *rule = &rules->item[i];
    size_t colon = bytes_chr(rule->s, rule->len, ':');

    if (colon < rule->len) got = fits(rule, colon, domain.s, &pattern);
    if (got == 1) *found = rule->s + colon + 1;
  }
  stralloc_free(&domain);
  stralloc_free(&pattern);
  return got != -1;
}

static int known(const char *s, size_t n) {
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; ++i)
    if (bytes_equal(s, n, variables[i], strlen(variables[i]))) return 1;
  return 0;
}

static enum domainqueue_verdict set_one(const char *s, size_t n, struct env *env, stralloc *var) {
  size_t name = bytes_chr(s, n, '=');

  if (name == n || !known(s, name)) return DOMAINQUEUE_BAD;
  return stralloc_copyb(var, s, n) && env_put(env, var->s) ? DOMAINQUEUE_OK : DOMAINQUEUE_NOMEM;
}

/* All of it makes sense, or nothing is set. */
static int sound(const char *s) {
  for (;; ++s) {
    size_t n = strcspn(s, ",");
    size_t name = bytes_chr(s, n, '=');

    if (name == n || !known(s, name)) return 0;
    s += n;
    if (!*s) return 1;
  }
}

enum domainqueue_verdict domainqueue_apply(const char *s, struct env *env) {
  stralloc var = STRALLOC_INIT;
  enum domainqueue_verdict v = sound(s) ? DOMAINQUEUE_OK : DOMAINQUEUE_BAD;

  if (v == DOMAINQUEUE_OK && !env_unset(env, "QUEUEDIR")) v = DOMAINQUEUE_NOMEM;
  while (v == DOMAINQUEUE_OK) {
    size_t n = strcspn(s, ",");

    v = set_one(s, n, env, &var);
    s += n;
    if (!*s++) break;
  }
  stralloc_free(&var);
  return v;
}

int domainqueue_variables(const struct strlist *rules, struct strlist *out) {
  for (size_t i = 0; i < rules->len; ++i) {
    const char *s = strchr(rules->item[i].s, ':');

    for (size_t n; s && *s; s += n) {
      n = strcspn(++s, ",");
      if (!strlist_add(out, s, n)) return 0;
    }
  }
  return 1;
}
