/* tai64n: the time stamps of our logs and status files.  External form: 12 bytes,
 * big-endian seconds (2^62 + TAI seconds) and nanoseconds.  Text form: @ and 24
 * hexadecimal digits.  Source: the TAI64, TAI64N description by D. J. Bernstein.
 * Like daemontools we count a constant 10 leap seconds before 1972 and none after,
 * so that labels are comparable with those of the original programs. */
#ifndef BASE_TAI64N_H
#define BASE_TAI64N_H

#include <stddef.h>
#include <stdint.h>

#define TAI64N_BYTES 12
#define TAI64N_TEXT 25 /* @ and 24 digits */

struct tai64n {
  uint64_t sec; /* 2^62 + 10 + Unix seconds */
  uint32_t nano;
};

void tai64n_now(struct tai64n *t);
void tai64n_from_unix(struct tai64n *t, int64_t sec, uint32_t nano);
int64_t tai64n_to_unix(const struct tai64n *t);
void tai64n_pack(char out[TAI64N_BYTES], const struct tai64n *t);
/* 1, or 0 if the bytes are no valid stamp (nanoseconds of a second or more). */
int tai64n_unpack(const char in[TAI64N_BYTES], struct tai64n *t);
/* Writes TAI64N_TEXT bytes, no NUL. */
void tai64n_fmt(char out[TAI64N_TEXT], const struct tai64n *t);
/* A label at the start of s[0..n-1]: 25, or 0 if there is none. */
size_t tai64n_scan(const char *s, size_t n, struct tai64n *t);

#endif
