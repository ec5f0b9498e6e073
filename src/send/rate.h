/* rate: how many mails may go to a destination in a time.  Pure, but for the last part.
 *
 * A rate file has four lines: an expression, mails a second (500/3600; negative: count, and
 * never refuse); how many mails were counted; since when; the time of the last one (seconds
 * since 1970).  Lines that are missing at the end are 0.  It is written in place with numbers
 * of 20 digits and, behind an expression that is shorter than it was, blanks: it never gets shorter,
 * so one write is all, and no crash leaves the end of an old text behind a new one.
 *
 * In the directory of rates the file of a domain has its name (an alias is a symbolic link to
 * another's).  A domain without one gets the expression of the first line pattern:expression
 * of "ratecontrol" that fits (shell wildcards, case aside) and is counted in "@domain"; if
 * none fits, it is counted in ".global" with all others like it, if that exists. */
#ifndef SEND_RATE_H
#define SEND_RATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/strerr.h"

/* --- expressions --- */

/* An exact value: num/den, den > 0, in lowest terms. */
struct ratio {
  int64_t num, den;
};
#define RATE_DEPTH_MAX 20 /* parentheses and signs inside each other */
#define RATE_TEXT_MAX 200 /* bytes of an expression */

/* Whole numbers, + - * /, parentheses, signs, blanks; 1, or 0: it is none, divides by zero, or
 * some value on the way does not fit in 63 bits. */
int rate_value(const char *s, size_t n, struct ratio *r) MUST_CHECK;

/* --- the file's text --- */

struct rate_record {
  char text[RATE_TEXT_MAX + 1];
  struct ratio limit; /* of text */
  uint64_t count;
  int64_t start, last;
};
#define RATE_NUMBERS 64 /* bytes of the other lines, and the end of the first */
#define RATE_FILE_MAX (RATE_TEXT_MAX + RATE_NUMBERS) /* bytes of a file */

/* 1 or 0. */
int rate_parse(struct rate_record *r, const char *s, size_t n) MUST_CHECK;
/* Set the expression, without blanks at its end: 1, or 0 if it is none. */
int rate_set(struct rate_record *r, const char *text, size_t n) MUST_CHECK;
/* Length of the text written, which is least or more. */
size_t rate_format(char buf[RATE_FILE_MAX], const struct rate_record *r, size_t least);

/* --- the rule --- */

#define RATE_STOP_SECONDS 3600 /* a rate of 0: asked again after so long */

/* Seconds until n mails may go, or 0: they may now, and are counted in r.  One that was not
 * used for interval seconds (0: never), or lies in the future, starts anew. */
int64_t rate_judge(struct rate_record *r, uint32_t n, int64_t now, int64_t interval);
/* count / (now - start), with three decimals, into buf. */
#define RATE_NUMBER 48
void rate_current(char buf[RATE_NUMBER], const struct rate_record *r, int64_t now);

/* --- the directory --- */

struct rates {
  int dir;          /* -1: none */
  int64_t interval;
};

/* 0 or -1 with e filled. */
int rates_open(struct rates *rs, const char *dir, int64_t interval, struct strerr *e) MUST_CHECK;

enum rates_answer {
  RATES_GO,      /* no rule, or within it: counted */
  RATES_WAIT,    /* not before so many seconds; r says why */
  RATES_BUSY,    /* somebody else has the file just now */
  RATES_TROUBLE, /* the file, or its text, is no good; errno is 0 for the text */
};
/* Ask for n mails to that domain (small letters).  count 0: only ask.  Never waits.  name gets
 * the file's name, of RATE_NAME bytes. */
#define RATE_NAME 260
enum rates_answer rates_ask(const struct rates *rs, const char *domain, uint32_t n, int64_t now, int count,
                            struct rate_record *r, int64_t *wait, char name[RATE_NAME]) MUST_CHECK;

/* May this be the name of a domain's file? */
int rate_name_ok(const char *domain);
/* For those who show and edit: open and lock a file of the directory (waits for the lock), and
 * read it: the descriptor, or -1 with errno.  *sound 0: it is empty or makes no sense, and r is
 * empty. */
int rates_open_file(const struct rates *rs, const char *name, int create, struct rate_record *r, int *sound);
/* Write in place: 0 or -1. */
int rates_write(int fd, const struct rate_record *r) MUST_CHECK;
void rates_close(struct rates *rs);

#endif
