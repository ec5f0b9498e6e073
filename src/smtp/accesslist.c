/* accesslist: see accesslist.h. */
#include "smtp/accesslist.h"

#include <string.h>

#include "base/bytes.h"
#include "mail/addrlist.h"
#include "mail/pattern.h"

/* Whom a kind of rules is about. */
static const struct {
  const char *word;
  int sender;
} kinds[] = {{"rcpt:", 0}, {"from:", 1}};

/* 1, 0, -1 with e. */
static int matches(const char *pattern, size_t n, const stralloc *address, int regex, struct strerr *e) {
  stralloc line = STRALLOC_INIT;
  struct pattern *p = 0;
  int r = -1;

  if (!stralloc_copyb(&line, pattern, n)) return strerr_set(e, "out of memory", (char *)0);
  if (!regex) r = addrlist_line(line.s, address->s, address->len);
  else if ((p = pattern_compile(line.s, line.len, e)) != 0) switch (pattern_match(p, address->s, address->len)) {
      case PATTERN_NO: r = 0; break;
      case PATTERN_YES: r = 1; break;
      case PATTERN_FAILED: strerr_set(e, "accesslist: an expression takes too long", (char *)0); break;
    }
  pattern_free(p);
  stralloc_free(&line);
  return r;
}

/* What one rule says: 1 it lets him in, 0 it is about him and does not, 2 nothing, -1 with e. */
static int ask_rule(const struct accesslist_question *q, const char *rule, size_t n, int about_sender, struct strerr *e) {
  size_t colon = bytes_chr(rule, n, ':');
  int sender, recipient;

  if (colon == n) return 2;
  sender = matches(rule, colon, q->sender, q->regex, e);
  recipient = sender == -1 ? -1 : matches(rule + colon + 1, n - colon - 1, &q->recipient->address, q->regex, e);
  if (recipient == -1) return -1;
  if (sender && recipient) return 1;
  return (about_sender ? sender : recipient) ? 0 : 2;
}

/* The same of all rules of a kind. */
static int ask_kind(const struct accesslist_question *q, size_t kind, const char **rule, struct strerr *e) {
  size_t word = strlen(kinds[kind].word);
  int said = 2;

  for (size_t i = 0; i < q->rules->len; ++i) {
    const stralloc *line = &q->rules->item[i];
    int r = stralloc_starts(line, kinds[kind].word) ? ask_rule(q, line->s + word, line->len - word, kinds[kind].sender, e) : 2;

    if (r == -1) return -1;
    if (r == 1 || (r == 0 && said == 2)) *rule = line->s;
    if (r == 1) return 1;
    if (r == 0) said = 0;
  }
  return said;
}

/* postmaster or abuse, of whatever domain */
static int always(const struct smtp_path *p) {
  static const char *const names[] = {"postmaster", "abuse"};

  for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
    if (p->at == strlen(names[i]) && bytes_caseequal(p->address.s, names[i], p->at)) return 1;
  return 0;
}

enum accesslist_verdict accesslist_ask(const struct accesslist_question *q, const char **rule, struct strerr *e) {
  int said = 2;

  *rule = 0;
  if (!q->sender->len || always(q->recipient)) return ACCESSLIST_ALLOWED;
  for (size_t kind = 0; said == 2 && kind < sizeof kinds / sizeof *kinds; ++kind) said = ask_kind(q, kind, rule, e);
  if (said == -1) return ACCESSLIST_FAILED;
  return said ? ACCESSLIST_ALLOWED : ACCESSLIST_DENIED;
}
