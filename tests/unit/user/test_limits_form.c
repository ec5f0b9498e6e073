/* Limits as text: what is taken, what is refused and leaves the limits alone, bits beside each other. */
#include "user/limits_form.h"

#include <string.h>

#include "check.h"

#define NOW INT64_C(1800000000)

static const struct {
  char letter;
  const char *text;
  int ok;
  int64_t want;
} cases[] = {
    {'e', "01011970000000", 1, 0},
    {'e', "29022028010203", 1, 1835398923},
    {'e', "29022027010203", 0, 0},
    {'e', "00012027010203", 0, 0},
    {'e', "01012027000060", 0, 0},
    {'e', "0101202700006", 0, 0},
    {'e', "010120270000600", 0, 0},
    {'e', "-1", 0, 0},
    {'n', "-1", 1, -1},
    {'N', "2", 1, NOW + 172800},
    {'n', "100000", 1, NOW + INT64_C(8640000000)},
    {'n', "100001", 0, 0},
    {'n', "", 0, 0},
    {'Q', "1k", 1, 1024},
    {'Q', "NOQUOTA", 1, 0},
    {'Q', "", 0, 0},
    {'Q', "1,1", 0, 0},
    {'q', "7C", 0, 0},
    {'M', "0", 1, 0},
    {'M', "-1", 0, 0},
    {'P', "-1", 1, -1},
    {'P', "-2", 0, 0},
    {'P', "9223372036854775807", 1, INT64_MAX},
    {'P', "9223372036854775808", 0, 0},
    {'p', "cd", 1, 5},
    {'p', "cd0m", 1, 2},
    {'z', "a", 1, 7},
    {'z', "b", 0, 0},
    {'l', "c", 1, 1},
    {'u', "c", 1, 8},
    {'o', "a", 1, 448},
};

static const struct limit_option *find(char letter) {
  for (size_t i = 0; i < LIMIT_OPTIONS; ++i)
    if (limit_options[i].letter == letter) return &limit_options[i];
  return 0;
}

int main(void) {
  struct limits l;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    const struct limit_option *o = find(cases[i].letter);

    memset(&l, 0, sizeof l);
    CHECK_CASE(limits_form_set(&l, o, cases[i].text, NOW) == cases[i].ok && l.v[o->limit] == (cases[i].ok ? cases[i].want : 0), cases[i].text);
  }
  memset(&l, 0, sizeof l);
  CHECK(limits_form_set(&l, find('l'), "a", NOW) && limits_form_set(&l, find('o'), "m", NOW) && limits_form_set(&l, find('u'), "d", NOW));
  CHECK(l.v[LIMIT_PERM_LIST] == (7 | 4 << 3 | 2 << 6));
  CHECK(limits_form_set(&l, find('u'), "0", NOW) && l.v[LIMIT_PERM_LIST] == (7 | 2 << 6));
  CHECK(limits_form_flags(&l, "pr", 0) && l.v[LIMIT_NO_POP] == 1 && l.v[LIMIT_NO_RELAY] == 1);
  CHECK(limits_form_flags(&l, "pi", 1) && l.v[LIMIT_NO_POP] == 0 && l.v[LIMIT_NO_IMAP] == 1 && l.v[LIMIT_NO_RELAY] == 1);
  CHECK(limits_form_flags(&l, "xw", 0) && l.v[LIMIT_NO_WEBMAIL] == 1 && l.v[LIMIT_NO_RELAY] == 0);
  CHECK(!limits_form_flags(&l, "?", 0));
  return check_done();
}
