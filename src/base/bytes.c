/* bytes: see bytes.h. */
#include "base/bytes.h"

#include <string.h>

size_t bytes_chr(const char *s, size_t n, char c) {
  const char *p = n ? memchr(s, c, n) : 0;

  return p ? (size_t)(p - s) : n;
}

size_t bytes_rchr(const char *s, size_t n, char c) {
  const char *p = n ? memrchr(s, c, n) : 0;

  return p ? (size_t)(p - s) : n;
}

int bytes_equal(const char *a, size_t an, const char *b, size_t bn) {
  return an == bn && (!an || !memcmp(a, b, an));
}

static unsigned char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : (unsigned char)c;
}

int bytes_caseequal(const char *a, const char *b, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if (lower(a[i]) != lower(b[i])) return 0;
  return 1;
}

int str_caseequal(const char *a, const char *b) {
  size_t n = strlen(a);

  return n == strlen(b) && bytes_caseequal(a, b, n);
}

int bytes_casestarts(const char *s, size_t n, const char *prefix) {
  size_t len = strlen(prefix);

  return n >= len && bytes_caseequal(s, prefix, len);
}

void bytes_lower(char *s, size_t n) {
  for (size_t i = 0; i < n; ++i) s[i] = (char)lower(s[i]);
}

int bytes_isgraph(const char *s, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if (s[i] < 33 || s[i] > 126) return 0;
  return 1;
}

int bytes_equal_secret(const char *a, const char *b, size_t n) {
  volatile unsigned char diff = 0;

  for (size_t i = 0; i < n; ++i) diff |= (unsigned char)(a[i] ^ b[i]);
  return diff == 0;
}
