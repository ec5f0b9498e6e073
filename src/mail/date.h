/* date: mail dates (RFC 5322 3.3), always in UTC: "21 Nov 2026 05:40:01 -0000". */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include <stddef.h>
#include <stdint.h>

#define DATE_TEXT 40

/* Writes text and NUL, returns the length.  zone is "-0000" (no local time known),
 * as qmail writes it, or "+0000". */
size_t date_fmt(char buf[DATE_TEXT], int64_t unix_time, const char *zone);
/* mbox form of the From_ line, in UTC: "Sat Nov 21 05:40:01 2026". */
size_t date_fmt_mbox(char buf[DATE_TEXT], int64_t unix_time);

/* "2030-01-31T12:00:00Z" and the like (RFC 3339, a fraction ignored) to Unix seconds, not before
 * 1970: 1 or 0. */
int date_scan_3339(const char *s, size_t n, uint64_t *when);
/* The other way, in UTC; room for DATE_3339. */
#define DATE_3339 32
void date_fmt_3339(char out[DATE_3339], int64_t when);

#endif
