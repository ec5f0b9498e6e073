/* filter: rules that say where a message goes by a field of its header (vfilter(8)).  Pure.
 *
 * Text is compared in lower case, bodies unfolded.  Rules are tried in their order; the first that
 * matches decides. */
#ifndef MAIL_FILTER_H
#define MAIL_FILTER_H

#include "base/stralloc.h"
#include "base/strerr.h"

#define FILTER_RULES_MAX 255
#define FILTER_TEXT_MAX 255    /* name, header, keyword */
#define FILTER_ACTION_MAX 512

enum filter_comparison {
  FILTER_EQUALS,
  FILTER_CONTAINS,
  FILTER_CONTAINS_NOT, /* the field is there, and has it not */
  FILTER_STARTS,
  FILTER_ENDS,
  FILTER_NOT_TO_ME, /* no To, Cc or Bcc names the recipient; no header, no keyword */
  FILTER_NUMBER,    /* %p, the number in the field, in an expression: "%p > 0.5 && %p < 1" */
  FILTER_REGEX,
  FILTER_COMPARISONS
};
/* By number or word ("starts", "regex"): 1 or 0. */
int filter_comparison_find(const char *s, enum filter_comparison *c);
const char *filter_comparison_name(enum filter_comparison c);
/* A field's name, or its number in the list of old (1 From, 2 Subject ...): the name, borrowed, or null when it is
 * neither. */
const char *filter_header(const char *s);

struct filter_rule {
  enum filter_comparison comparison;
  const char *header, *keyword; /* borrowed */
};
/* Null when the rule makes sense, else why not. */
const char *filter_fault(const struct filter_rule *r);

struct filter_message {
  const char *recipient;
  stralloc text;  /* all fields, unfolded, in lower case: name NUL body NUL */
  int named;      /* To, Cc or Bcc has the recipient */
};
/* One field with its folds, as it stands: 1, or 0 without memory. */
int filter_field(struct filter_message *m, const char *s, size_t n) MUST_CHECK;
/* 1 it matches, 0 it does not, or cannot be told (an expression that takes too long). */
int filter_matches(const struct filter_message *m, const struct filter_rule *r);
void filter_message_free(struct filter_message *m);

#endif
