/* What may be a message's id, and the ids we make. */
#include "queue/messid.h"

#include "check.h"

static void valid(void) {
  static const struct {
    const char *text;
    int want;
  } cases[] = {
      {"1763703601000000.10000005", 1}, {"a", 1}, {"A-b_c.9", 1}, {"1.", 1}, {"", 0}, {"17", 0}, {"1763703601000000", 0},
      {"a b", 0}, {"a\n", 0}, {"a@b", 0}, {"a;b", 0}, {"a/b", 0}, {"a%b", 0}, {"\303\244", 0}, {"a(b)", 0},
      {"0123456789012345678901234567890123456789012345678901234567890.23", 1},
      {"0123456789012345678901234567890123456789012345678901234567890.234", 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i)
    CHECK_CASE(messid_valid(cases[i].text, strlen(cases[i].text)) == cases[i].want, cases[i].text);
  CHECK(!messid_valid("a\0b", 3));
}

static void made(void) {
  char id[MESSID_SIZE], other[MESSID_SIZE], buf[MESSID_SIZE];

  messid_make(id, UINT64_MAX);
  CHECK(messid_valid(id, strlen(id)) && strstr(id, ".18446744073709551615"));
  messid_make(id, 10000005);
  messid_make(other, 10000006);
  CHECK(strcmp(id, other) && !strcmp(strchr(id, '.'), ".10000005"));
  CHECK(messid_of(id, 7, buf) == id && !strcmp(messid_of("", 7, buf), "7") && !strcmp(messid_of(0, UINT64_MAX, buf), "18446744073709551615"));
}

int main(void) {
  valid();
  made();
  return check_done();
}
