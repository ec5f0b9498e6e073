/* body_rules: see body_rules.h. */
#include "mail/body_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "mail/pattern.h"

static const struct {
  const char *word;
  unsigned where;
  int blackhole;
} kinds[] = {
    {"-header", BODY_IN_HEADER, 0},
    {"-body", BODY_IN_BODY, 0},
    {"-headerblackhole", BODY_IN_HEADER, 1},
    {"-bodyblackhole", BODY_IN_BODY, 1},
};

/* Where the expression ends: at a colon without a backslash. */
static size_t expression_end(const char *s, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    if (s[i] == '\\') ++i;
    else if (s[i] == ':') return i;
  }
  return n;
}

/* What stands behind the expression. */
static int take_options(struct body_rule *r, const char *s, size_t n) {
  size_t last = bytes_rchr(s, n, ':');
  const char *word = last < n ? s + last + 1 : s;

  r->where = BODY_IN_HEADER | BODY_IN_BODY;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; ++i)
    if (!strcmp(word, kinds[i].word)) {
      r->where = kinds[i].where;
      r->blackhole = kinds[i].blackhole;
      n = last < n ? last : 0;
      break;
    }
  return stralloc_copyb(&r->comment, s, n);
}

static int compile(struct body_rule *r, const stralloc *line, struct strerr *e) {
  size_t end = expression_end(line->s, line->len);
  size_t rest = end < line->len ? end + 1 : end;

  if (!take_options(r, line->s + rest, line->len - rest)) return strerr_set(e, "out of memory", (char *)0);
  r->pattern = pattern_compile(line->s, end, e);
  return r->pattern ? 0 : -1;
}

int body_rules_compile(struct body_rules *b, const char *where, const struct strlist *lines, struct strerr *e) {
  struct strerr why;

  memset(b, 0, sizeof *b);
  if (!lines->len) return 0;
  b->rule = calloc(lines->len, sizeof *b->rule);
  if (!b->rule) return strerr_set(e, "out of memory", (char *)0);
  for (; b->len < lines->len; ++b->len)
    if (compile(&b->rule[b->len], &lines->item[b->len], &why) == -1) {
      strerr_set(e, where, ": ", why.text, ": ", lines->item[b->len].s, (char *)0);
      e->permanent = why.permanent;
      stralloc_free(&b->rule[b->len].comment);
      return -1;
    }
  return 0;
}

/* Without memory it may take its time again. */
static void give_up(const struct body_rules *b, size_t i, struct body_rules_cost *cost) {
  while (cost->given_up.len < b->len)
    if (!stralloc_append(&cost->given_up, 0)) return;
  cost->given_up.s[i] = 1;
}

static enum pattern_verdict match(const struct pattern *p, const char *line, size_t n, struct body_rules_cost *cost) {
  uint64_t left = BODY_RULES_STEPS - cost->steps, steps = left < PATTERN_STEPS ? left : PATTERN_STEPS, before = steps;
  enum pattern_verdict v = pattern_match_within(p, line, n, &steps);

  cost->steps += before - steps;
  return v;
}

long body_rules_match(const struct body_rules *b, unsigned where, const char *line, size_t n, struct body_rules_cost *cost) {
  long failed = 0;

  for (size_t i = 0; i < b->len; ++i) {
    if (!(b->rule[i].where & where) || (i < cost->given_up.len && cost->given_up.s[i])) continue;
    switch (match(b->rule[i].pattern, line, n, cost)) {
      case PATTERN_NO: break;
      case PATTERN_YES: return (long)i + 1;
      case PATTERN_FAILED:
        give_up(b, i, cost);
        failed = -1;
        break;
    }
  }
  return failed;
}

void body_rules_cost_free(struct body_rules_cost *cost) {
  stralloc_free(&cost->given_up);
  memset(cost, 0, sizeof *cost);
}

void body_rules_free(struct body_rules *b) {
  for (size_t i = 0; i < b->len; ++i) {
    pattern_free(b->rule[i].pattern);
    stralloc_free(&b->rule[i].comment);
  }
  free(b->rule);
  memset(b, 0, sizeof *b);
}
