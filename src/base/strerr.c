/* strerr: see strerr.h. */
#include "base/strerr.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

/* Appends s at n, keeping room for a NUL and masking control characters. */
static size_t add(char *buf, size_t size, size_t n, const char *s) {
  for (; *s && n + 1 < size; ++s) buf[n++] = (unsigned char)*s < 32 || *s == 127 ? '?' : *s;
  buf[n] = 0;
  return n;
}

static size_t add_list(char *buf, size_t size, size_t n, va_list ap) {
  const char *s;

  buf[n] = 0;
  while ((s = va_arg(ap, const char *)) != 0) n = add(buf, size, n, s);
  return n;
}

static size_t add_reason(char *buf, size_t size, size_t n, int sys) {
  char reason[128];

  n = add(buf, size, n, ": ");
  return add(buf, size, n, strerror_r(sys, reason, sizeof reason));
}

int strerr_set(struct strerr *e, ...) {
  va_list ap;

  va_start(ap, e);
  add_list(e->text, sizeof e->text, 0, ap);
  va_end(ap);
  e->sys = 0;
  e->permanent = 0;
  return -1;
}

int strerr_sys(struct strerr *e, ...) {
  int sys = errno;
  va_list ap;
  size_t n;

  va_start(ap, e);
  n = add_list(e->text, sizeof e->text, 0, ap);
  va_end(ap);
  add_reason(e->text, sizeof e->text, n, sys);
  e->sys = sys;
  e->permanent = 0;
  errno = sys;
  return -1;
}

static void print(const char *prefix, const char *text) {
  char line[768];
  size_t n = add(line, sizeof line - 1, 0, prefix);
  int saved = errno;

  n = add(line, sizeof line - 1, n, text);
  line[n++] = '\n';
  (void)!write(2, line, n);
  errno = saved;
}

void strerr_warn(const char *prefix, const struct strerr *e) {
  print(prefix, e->text);
}

void strerr_die(int code, const char *prefix, const struct strerr *e) {
  print(prefix, e->text);
  _exit(code);
}

static void print_list(const char *prefix, int sys, va_list ap) {
  char text[640];
  size_t n = add_list(text, sizeof text, 0, ap);

  if (sys) add_reason(text, sizeof text, n, sys);
  print(prefix, text);
}

void strerr_warnm(const char *prefix, ...) {
  va_list ap;

  va_start(ap, prefix);
  print_list(prefix, 0, ap);
  va_end(ap);
}

void strerr_warnm_sys(const char *prefix, ...) {
  int sys = errno;
  va_list ap;

  va_start(ap, prefix);
  print_list(prefix, sys, ap);
  va_end(ap);
}

void strerr_diem(int code, const char *prefix, ...) {
  va_list ap;

  va_start(ap, prefix);
  print_list(prefix, 0, ap);
  va_end(ap);
  _exit(code);
}

void strerr_diem_sys(int code, const char *prefix, ...) {
  int sys = errno;
  va_list ap;

  va_start(ap, prefix);
  print_list(prefix, sys, ap);
  va_end(ap);
  _exit(code);
}

void strerr_die_nomem(const char *prefix) {
  strerr_diem(111, prefix, "out of memory", (char *)0);
}

void strerr_die_usage(const char *usage) {
  print("usage: ", usage);
  _exit(100);
}
