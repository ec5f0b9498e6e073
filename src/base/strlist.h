/* strlist: an ordered list of owned strings (recipients, control file lines). */
#ifndef BASE_STRLIST_H
#define BASE_STRLIST_H

#include "base/stralloc.h"

struct strlist {
  stralloc *item;
  size_t len;
  size_t a;
};

/* 1, or 0 when memory ran out (list unchanged). */
int strlist_add(struct strlist *l, const char *s, size_t n) MUST_CHECK;
/* Index of the entry equal to s without regard to ASCII case, or -1. */
long strlist_find(const struct strlist *l, const char *s, size_t n);
/* A vector for exec, ended by a null: free it; its strings are the list's.  Null when memory ran out. */
char **strlist_argv(const struct strlist *l) MUST_CHECK;
/* Each line of a text, without its LF; empty ones are left out.  1, or 0 when memory ran out. */
int strlist_add_lines(struct strlist *l, const char *s, size_t n) MUST_CHECK;
/* By bytes; and the index of an entry of a list sorted so, or -1. */
void strlist_sort(struct strlist *l);
long strlist_find_sorted(const struct strlist *l, const char *s);
void strlist_clear(struct strlist *l);
void strlist_free(struct strlist *l);

#endif
