/* fmt: numbers to text.  Each writes into buf without a NUL and returns the
 * number of bytes written; a null buf only counts. */
#ifndef BASE_FMT_H
#define BASE_FMT_H

#include <stddef.h>
#include <stdint.h>

#define FMT_U64 20 /* bytes that hold any 64-bit unsigned decimal */

size_t fmt_u64(char *buf, uint64_t u);
size_t fmt_i64(char *buf, int64_t i);
/* Decimal with leading zeros to width digits (wider numbers are not cut). */
size_t fmt_u64_pad(char *buf, uint64_t u, size_t width);
size_t fmt_hex64(char *buf, uint64_t u);
/* Exactly width lower-case hexadecimal digits, the low ones. */
size_t fmt_hex64_pad(char *buf, uint64_t u, size_t width);
/* s and a NUL after it, for the rare caller that wants a C string. */
char *fmt_u64_z(char buf[FMT_U64 + 1], uint64_t u);

#endif
