/* bytes: what <string.h> does not say about bytes and ASCII case.  Locale never
 * matters: these see ASCII only and leave bytes above 127 alone. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stddef.h>

/* Position of c in s[0..n-1], or n: the caller needs no null test. */
size_t bytes_chr(const char *s, size_t n, char c);
/* Position of the last c in s[0..n-1], or n. */
size_t bytes_rchr(const char *s, size_t n, char c);
int bytes_equal(const char *a, size_t an, const char *b, size_t bn);
int bytes_caseequal(const char *a, const char *b, size_t n);
int str_caseequal(const char *a, const char *b);
/* Does s[0..n-1] begin with the C string prefix, ASCII case aside? */
int bytes_casestarts(const char *s, size_t n, const char *prefix);
void bytes_lower(char *s, size_t n);
/* 1 if every byte of s is printable ASCII (33..126). */
int bytes_isgraph(const char *s, size_t n);
/* Equal without telling by the time taken where they differ: for secrets. */
int bytes_equal_secret(const char *a, const char *b, size_t n);

#endif
