/* options: see options.h. */
#include "base/options.h"

#include <string.h>

#include "base/scan.h"
#include "base/strerr.h"

typedef int (*option_fn)(const char *arg);

static const struct option *find(const struct option *table, char c) {
  for (; table->letter; ++table)
    if (table->letter == c) return table;
  return 0;
}

static int set_word(const struct option_word *w, const char *name) {
  while (w->name && strcmp(w->name, name) != 0) ++w;
  if (w->name) *w->target = 1;
  return w->name != 0;
}

static int store(const struct option *o, const char *arg) {
  switch (o->kind) {
    case OPTION_FLAG: *(int *)o->target = (int)o->value; return 1;
    case OPTION_COUNT: ++*(int *)o->target; return 1;
    case OPTION_STRING: *(const char **)o->target = arg; return 1;
    case OPTION_U64:
      return scan_u64_max(arg, strlen(arg), o->value ? o->value : UINT64_MAX, o->target);
    case OPTION_I64: return scan_i64(arg, strlen(arg), o->target);
    case OPTION_WORDS: return set_word(o->target, arg);
    case OPTION_CALL: return ((option_fn)(uintptr_t)o->target)(arg);
    case OPTION_REFUSED: return 0;
  }
  return 0;
}

static int wants_value(const struct option *o) {
  return o->kind != OPTION_FLAG && o->kind != OPTION_COUNT && o->kind != OPTION_REFUSED;
}

/* bad: the option that is in the table and was not taken, null when it is not there. */
static int parse(int argc, char *const *argv, const struct option *table, const struct option **bad) {
  int i;

  *bad = 0;
  for (i = 1; i < argc; ++i) {
    const char *s = argv[i];

    if (s[0] != '-' || !s[1]) break;
    if (s[1] == '-' && !s[2]) return i + 1;
    for (++s; *s; ++s) {
      const struct option *o = find(table, *s);
      const char *value = 0;

      *bad = o;
      if (!o) return -1;
      if (wants_value(o)) {
        value = s[1] ? s + 1 : ++i < argc ? argv[i] : 0;
        if (!value) return -1;
      }
      if (!store(o, value)) return -1;
      if (value) break;
    }
  }
  return i < argc ? i : argc;
}

int options_parse(int argc, char *const *argv, const struct option *table) {
  const struct option *bad;

  return parse(argc, argv, table, &bad);
}

static void refuse(const struct option *o, const char *usage) {
  char name[64], letter[] = {'-', o->letter, 0};
  size_t n = strcspn(usage, " ");

  if (n >= sizeof name) n = sizeof name - 1;
  memcpy(name, usage, n);
  name[n] = 0;
  strerr_diem(100, name, ": fatal: ", letter, ": ", (const char *)o->target, (char *)0);
}

int options_or_die(int argc, char *const *argv, const struct option *table, const char *usage,
                   int min, int max) {
  const struct option *bad;
  int first = parse(argc, argv, table, &bad);

  if (first == -1 && bad && bad->kind == OPTION_REFUSED) refuse(bad, usage);
  if (first == -1 || argc - first < min || (max != -1 && argc - first > max))
    strerr_die_usage(usage);
  return first;
}
