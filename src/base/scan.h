/* scan: text to numbers.  Every function knows its range; on failure the target
 * is left alone.  "Whole" functions want the entire text to be the number. */
#ifndef BASE_SCAN_H
#define BASE_SCAN_H

#include <stddef.h>
#include <stdint.h>

/* Whole decimal text, no sign, at most max.  1 or 0. */
int scan_u64_max(const char *s, size_t n, uint64_t max, uint64_t *u);
int scan_u64(const char *s, size_t n, uint64_t *u);
int scan_u32(const char *s, size_t n, uint32_t *u);
int scan_i64(const char *s, size_t n, int64_t *i); /* optional leading - or + */
int scan_port(const char *s, size_t n, uint16_t *port);
/* Whole octal text, for modes. */
int scan_octal(const char *s, size_t n, uint32_t *u);
/* Whole hexadecimal text, either case. */
int scan_hex64(const char *s, size_t n, uint64_t *u);
/* A decimal number at the start of s[0..n-1]: the number of digits read, or 0
 * when there is none or it does not fit. */
size_t scan_u64_prefix(const char *s, size_t n, uint64_t *u);
/* Value of a hexadecimal digit, or -1. */
int scan_hexdigit(char c);

#endif
