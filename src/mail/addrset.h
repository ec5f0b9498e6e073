/* addrset: a list of addresses or names, made ready for many questions.
 *
 * Lines are those of addrlist.h; a leading ! takes back what earlier lines matched, and the
 * last line that matches decides.  Lines without wildcards are found through a hash table, so
 * that a list of a hundred thousand costs a few comparisons; the others are tried in turn.
 * In a list of names (hosts, domains) a line may stand with or without its @.
 *
 * In a list of regular expressions each line is one (pattern.h), a leading ! turns it round,
 * @domain begins with .*, and the first that matches decides.  Pure. */
#ifndef MAIL_ADDRSET_H
#define MAIL_ADDRSET_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"
#include "mail/addrkeys.h"

struct addrset_line {
  size_t at; /* of its text, without !, ended by a NUL */
  uint32_t n;
  uint32_t back; /* it had a ! */
  struct pattern *pattern;
};

struct addrset {
  int regex;
  stralloc text;
  struct addrset_line *line;
  size_t len, a;
  uint32_t *slot; /* hash table of lines without wildcards: number + 1, 0 free */
  size_t slots, used;
  uint32_t *wild; /* numbers of the others */
  size_t wilds, wilds_a;
};


/* Add the lines of text[0..n-1]: blanks at the end, empty lines and # comments dropped.  May be
 * called again: later lines count after earlier ones.  regex must be set before.  0, or -1 with
 * e filled, which names line NUMBER of where. */
int addrset_add(struct addrset *s, const char *where, const char *text, size_t n, struct strerr *e) MUST_CHECK;
enum addrset_verdict addrset_find(const struct addrset *s, enum addrset_subject what, const char *subject, size_t n)
    MUST_CHECK;
void addrset_free(struct addrset *s);

#endif
