/* pattern: see pattern.h.  The library's own limit begins anew at each place of the text where a match
 * might begin: what bounds a match is our count of its steps, each an item of the pattern tried at one
 * place. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "mail/pattern.h"

#include <errno.h>
#include <pcre2.h>
#include <stdlib.h>

#define DEPTH 1000       /* of backtracking points inside each other */
#define HEAP_KIB 1024    /* for these */
#define PARENTHESES 32   /* inside each other: the compiler recurses, perhaps on the stack of a task */
#define PATTERN_MAX 4096 /* bytes of an expression */
#define OPTIONS (PCRE2_AUTO_CALLOUT | PCRE2_CASELESS | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UCP | PCRE2_NEVER_UTF)

struct pattern {
  pcre2_code *code;
  pcre2_match_context *limits;
};

static struct pattern *no_memory(struct strerr *e) {
  errno = ENOMEM;
  strerr_sys(e, "unable to read a pattern", (char *)0);
  return 0;
}

static pcre2_code *compile(const char *s, size_t n, struct strerr *e) {
  pcre2_compile_context *c = pcre2_compile_context_create(0);
  pcre2_code *code = 0;
  PCRE2_UCHAR why[128];
  PCRE2_SIZE where;
  int error = PCRE2_ERROR_NOMEMORY;

  if (c) {
    pcre2_set_parens_nest_limit(c, PARENTHESES);
    pcre2_set_max_pattern_length(c, PATTERN_MAX);
    code = pcre2_compile((PCRE2_SPTR)s, n, OPTIONS, &error, &where, c);
    pcre2_compile_context_free(c);
  }
  if (code) return code;
  if (error == PCRE2_ERROR_NOMEMORY || error == PCRE2_ERROR_HEAP_FAILED) {
    no_memory(e);
    return 0;
  }
  if (pcre2_get_error_message(error, why, sizeof why) < 0) why[0] = 0;
  strerr_set(e, "not a regular expression: ", (const char *)why, (char *)0);
  e->permanent = 1;
  return 0;
}

struct pattern *pattern_compile(const char *s, size_t n, struct strerr *e) {
  struct pattern *p = calloc(1, sizeof *p);

  if (!p) return no_memory(e);
  p->code = compile(s, n, e);
  p->limits = p->code ? pcre2_match_context_create(0) : 0;
  if (p->code && !p->limits) no_memory(e);
  if (!p->limits) {
    pattern_free(p);
    return 0;
  }
  pcre2_set_match_limit(p->limits, PATTERN_STEPS);
  pcre2_set_depth_limit(p->limits, DEPTH);
  pcre2_set_heap_limit(p->limits, HEAP_KIB);
  return p;
}

static int on_step(pcre2_callout_block *at, void *steps) {
  uint64_t *left = steps;

  (void)at;
  if (!*left) return PCRE2_ERROR_CALLOUT;
  --*left;
  return 0;
}

enum pattern_verdict pattern_match_within(const struct pattern *p, const char *text, size_t n, uint64_t *steps) {
  pcre2_match_data *data = pcre2_match_data_create(1, 0);
  int r;

  if (!data) return PATTERN_FAILED;
  pcre2_set_callout(p->limits, on_step, steps);
  r = pcre2_match(p->code, (PCRE2_SPTR)text, n, 0, 0, data, p->limits);
  pcre2_match_data_free(data);
  if (r >= 0) return PATTERN_YES;
  return r == PCRE2_ERROR_NOMATCH ? PATTERN_NO : PATTERN_FAILED;
}

enum pattern_verdict pattern_match(const struct pattern *p, const char *text, size_t n) {
  uint64_t steps = PATTERN_STEPS;

  return pattern_match_within(p, text, n, &steps);
}

void pattern_free(struct pattern *p) {
  if (!p) return;
  pcre2_match_context_free(p->limits);
  pcre2_code_free(p->code);
  free(p);
}
