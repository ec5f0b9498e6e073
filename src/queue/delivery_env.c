/* delivery_env: see delivery_env.h. */
#include "queue/delivery_env.h"

#include <string.h>

/* The variable's name in place of the field's: 1, or 0 if it can be none. */
static int make_name(char *s) {
  if (*s >= '0' && *s <= '9') return 0;
  for (; *s; ++s) {
    if (*s >= 'a' && *s <= 'z') *s = (char)(*s - 'a' + 'A');
    else if (*s == '-') *s = '_';
    else if (!((*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || *s == '_')) return 0;
  }
  return 1;
}

int delivery_env_add(struct env *env, const char *captured) {
  stralloc name = STRALLOC_INIT;
  stralloc value = STRALLOC_INIT;
  int ok = 1;

  while (ok && *captured) {
    size_t line = strcspn(captured, "\n");
    size_t n = strcspn(captured, ":\n");
    const char *s = captured + n + (n < line);

    while (*s == ' ') ++s;
    ok = stralloc_copyb(&name, captured, n) && stralloc_copyb(&value, s, s < captured + line ? (size_t)(captured + line - s) : 0);
    if (ok && n && n < line && make_name(name.s) && !env_lookup(env, name.s)) ok = env_set(env, name.s, stralloc_cstr(&value));
    captured += line + (captured[line] == '\n');
  }
  stralloc_free(&name);
  stralloc_free(&value);
  return ok;
}
