/* check: see check.h.  Linked with --wrap for the allocation functions. */
#include "check.h"

#include <errno.h>
#include <stdlib.h>

int check_failed, check_passed;
static long fail_at, count;

void check_report(int ok, const char *file, int line, const char *what, const char *name) {
  if (ok) {
    ++check_passed;
    return;
  }
  ++check_failed;
  printf("%s:%d: failed: %s%s%s\n", file, line, what, *name ? " in case " : "", name);
}

int check_done(void) {
  printf("%d checks passed, %d checks failed\n", check_passed, check_failed);
  return check_failed ? 1 : 0;
}

void check_nomem(long n) {
  fail_at = n;
  count = 0;
}

long check_allocs(void) {
  return count;
}

static int refuse(void) {
  ++count;
  if (!fail_at || count != fail_at) return 0;
  errno = ENOMEM;
  return 1;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t m);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t m);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t m);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t m);

void *__wrap_malloc(size_t n) {
  return refuse() ? 0 : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t m) {
  return refuse() ? 0 : __real_calloc(n, m);
}

void *__wrap_realloc(void *p, size_t n) {
  return refuse() ? 0 : __real_realloc(p, n);
}

void *__wrap_reallocarray(void *p, size_t n, size_t m) {
  return refuse() ? 0 : __real_reallocarray(p, n, m);
}
