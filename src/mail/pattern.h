/* pattern: regular expressions of administrators on text of strangers: PCRE2, with limits to
 * what one match may cost.  The only place that knows the library. */
#ifndef MAIL_PATTERN_H
#define MAIL_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/strerr.h"

struct pattern; /* compiled */

#define PATTERN_STEPS 200000 /* of one match: some milliseconds */

enum pattern_verdict {
  PATTERN_NO,
  PATTERN_YES,
  PATTERN_FAILED, /* it took more than it may, or memory ran out: not known */
};

/* Compile, for matches anywhere in a text, ASCII case aside.  Null with e filled (permanent
 * when the expression is malformed). */
struct pattern *pattern_compile(const char *s, size_t n, struct strerr *e) MUST_CHECK;
enum pattern_verdict pattern_match(const struct pattern *p, const char *text, size_t n) MUST_CHECK;
/* The same with no more steps than *steps has, which says at the end how many are left. */
enum pattern_verdict pattern_match_within(const struct pattern *p, const char *text, size_t n, uint64_t *steps) MUST_CHECK;
void pattern_free(struct pattern *p);

#endif
