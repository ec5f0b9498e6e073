/* body_rules: expressions that lines of a message must not match, bodycheck(5).
 *
 *   expression[:comment][:-header | :-body | :-headerblackhole | :-bodyblackhole]
 *
 * A colon inside the expression is written \:.  Pure. */
#ifndef MAIL_BODY_RULES_H
#define MAIL_BODY_RULES_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"
#include "base/strlist.h"

#define BODY_IN_HEADER 1u
#define BODY_IN_BODY 2u

struct body_rule {
  struct pattern *pattern;
  unsigned where; /* BODY_ bits */
  int blackhole;  /* the message is accepted and thrown away */
  stralloc comment;
};
struct body_rules {
  struct body_rule *rule;
  size_t len;
};

/* Compile the lines.  where names them in errors.  0, or -1 with e filled; body_rules_free in any
 * case. */
int body_rules_compile(struct body_rules *b, const char *where, const struct strlist *lines, struct strerr *e) MUST_CHECK;
#define BODY_RULES_STEPS UINT64_C(100000000) /* of one message: some seconds */

/* What the lines of one message have cost.  Zeroed before use. */
struct body_rules_cost {
  uint64_t steps;    /* of matches so far */
  stralloc given_up; /* a byte for each rule: 1 once it took too long; empty: none did */
};
/* Number of the first rule that matches the line, + 1; 0 for none, -1 when a rule that does not match
 * has taken too long, or all of them together: it is passed over from then on. */
long body_rules_match(const struct body_rules *b, unsigned where, const char *line, size_t n, struct body_rules_cost *cost);
void body_rules_cost_free(struct body_rules_cost *cost);
void body_rules_free(struct body_rules *b);

#endif
