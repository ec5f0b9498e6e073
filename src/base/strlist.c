/* strlist: see strlist.h. */
#include "base/strlist.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

int strlist_add(struct strlist *l, const char *s, size_t n) {
  if (l->len == l->a) {
    size_t a = l->a ? l->a * 2 : 8;
    stralloc *item = reallocarray(l->item, a, sizeof *item);

    if (!item) return 0;
    l->item = item;
    l->a = a;
  }
  memset(&l->item[l->len], 0, sizeof l->item[0]);
  if (!stralloc_copyb(&l->item[l->len], s, n)) return 0;
  l->len++;
  return 1;
}

long strlist_find(const struct strlist *l, const char *s, size_t n) {
  for (size_t i = 0; i < l->len; ++i)
    if (l->item[i].len == n && bytes_caseequal(l->item[i].s, s, n)) return (long)i;
  return -1;
}

char **strlist_argv(const struct strlist *l) {
  char **argv = calloc(l->len + 1, sizeof *argv);

  for (size_t i = 0; argv && i < l->len; ++i) argv[i] = l->item[i].s;
  return argv;
}

int strlist_add_lines(struct strlist *l, const char *s, size_t n) {
  while (n) {
    size_t i = bytes_chr(s, n, '\n');

    if (i && !strlist_add(l, s, i)) return 0;
    i += i < n;
    s += i;
    n -= i;
  }
  return 1;
}

static int by_bytes(const void *a, const void *b) {
  return strcmp(stralloc_cstr(a), stralloc_cstr(b));
}

void strlist_sort(struct strlist *l) {
  if (l->len) qsort(l->item, l->len, sizeof *l->item, by_bytes);
}

long strlist_find_sorted(const struct strlist *l, const char *s) {
  size_t low = 0, high = l->len;

  while (low < high) {
    size_t middle = low + (high - low) / 2;

    if (strcmp(stralloc_cstr(&l->item[middle]), s) < 0) low = middle + 1;
    else high = middle;
  }
  return low < l->len && stralloc_equals(&l->item[low], s) ? (long)low : -1;
}

void strlist_clear(struct strlist *l) {
  for (size_t i = 0; i < l->len; ++i) stralloc_free(&l->item[i]);
  l->len = 0;
}

void strlist_free(struct strlist *l) {
  strlist_clear(l);
  free(l->item);
  l->item = 0;
  l->a = 0;
}
