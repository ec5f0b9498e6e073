/* Lines of signatures, and what begins like them. */
#include "mail/signatures.h"

#include <string.h>

#include "check.h"

static int compile(struct signatures *s, const char *const *line, size_t n) {
  struct strlist lines = {0};
  struct strerr e;
  int r;

  for (size_t i = 0; i < n; ++i) CHECK(strlist_add(&lines, line[i], strlen(line[i])));
  r = signatures_compile(s, "signatures", &lines, &e);
  strlist_free(&lines);
  return r;
}

int main(void) {
  static const char *const good[] = {"TVqQAAMAA", "TVpQAAIAA:a program", "UEsDBBQAA:an archive:with colons:-blackhole", "R0lGODlhaAA:-blackhole", "AAAAAAAAA:"};
  static const char *const bad[] = {"", "TVqQAAMA", "TVqQAAMA!", ":comment", "TVqQ AAMAA", "TVqQAAMA\xc3\xa4"};
  static const struct {
    const char *line;
    size_t want;
  } cases[] = {{"TVqQAAMAAAAEAAAA//8AALgA", 1}, {"TVqQAAMAA", 1}, {"TVqQAAMA", 0}, {"tvqqaamaa", 0}, {"xTVqQAAMAA", 0}, {"TVpQAAIAAAAEAA8A", 2}, {"UEsDBBQAAAAI", 3}, {"", 0}};
  struct signatures s;

  CHECK(compile(&s, good, 5) == 0 && s.len == 5);
  CHECK(stralloc_equals(&s.one[1].comment, "a program") && !s.one[1].blackhole);
  CHECK(stralloc_equals(&s.one[2].comment, "an archive:with colons") && s.one[2].blackhole);
  CHECK(s.one[3].comment.len == 0 && s.one[3].blackhole && s.one[4].comment.len == 0 && !s.one[4].blackhole);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
    CHECK_CASE(signatures_match(&s, cases[i].line, strlen(cases[i].line)) == cases[i].want, cases[i].line);
  signatures_free(&s);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
    CHECK_CASE(compile(&s, &bad[i], 1) == -1, bad[i]);
    signatures_free(&s);
  }
  CHECK(compile(&s, good, 0) == 0 && signatures_match(&s, "TVqQAAMAA", 9) == 0);
  for (unsigned n = 1; n < 20; ++n) { /* no memory */
    struct strlist lines = {0};
    struct strerr e;

    for (size_t i = 0; i < 5; ++i) CHECK(strlist_add(&lines, good[i], strlen(good[i])));
    check_nomem(n);
    (void)!signatures_compile(&s, "signatures", &lines, &e);
    check_nomem(0);
    signatures_free(&s);
    strlist_free(&lines);
  }
  return check_done();
}
