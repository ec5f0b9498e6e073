/* Answers to a challenge of CRAM, whole, cut anywhere, and with one byte more or another. */
#include "crypt/cram_message.h"

#include <string.h>

#include "check.h"

#define D32 "0123456789abcdef0123456789abcdef"
#define D8 "01234567"

static const struct {
  const char *name, *s;
  unsigned char method;
  size_t user; /* 0: none */
} cases[] = {
    {"md5", "joe " D32, 3, 3},
    {"sha1", "joe " D32 D8, 4, 3},
    {"sha224", "joe " D32 D8 D8 D8, 5, 3},
    {"sha256", "joe " D32 D32, 6, 3},
    {"sha384", "joe " D32 D32 D32, 7, 3},
    {"sha512", "joe " D32 D32 D32 D32, 8, 3},
    {"ripemd", "joe " D32 D8, 9, 3},
    {"blanks in the name", "joe of  here " D32, 3, 12},
    {"a blank at its end", "joe  " D32, 3, 4},
    {"a name that is a digest", D32 " " D32, 3, 32},
    {"another method's length", "joe " D32, 4, 0},
    {"no such method", "joe " D32, 2, 0},
    {"nor this", "joe " D32, 10, 0},
    {"nobody", " " D32, 3, 0},
    {"no blank", "joe" D32, 3, 0},
    {"no digest", "joe ", 3, 0},
    {"nothing", "", 3, 0},
    {"blank behind", "joe " D32 " ", 3, 0},
    {"capitals", "joe 0123456789ABCDEF0123456789abcdef", 3, 0},
    {"no digits", "joe g123456789abcdef0123456789abcdef", 3, 0},
};

static void whole(void) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    size_t name = 0;

    CHECK_CASE(cram_split(cases[i].s, strlen(cases[i].s), cases[i].method, &name) == (cases[i].user != 0), cases[i].name);
    CHECK_CASE(name == cases[i].user, cases[i].name);
  }
}

/* Only the whole answer is one, and each byte of its digest counts. */
static void bytewise(void) {
  static const char answer[] = "joe " D32;
  char copy[sizeof answer + 1];
  size_t name;

  for (size_t n = 0; n < sizeof answer - 1; ++n) CHECK(!cram_split(answer, n, 3, &name));
  for (size_t i = 4; i < sizeof answer - 1; ++i)
    for (int c = 0; c < 256; ++c) {
      memcpy(copy, answer, sizeof answer);
      copy[i] = (char)c;
      CHECK(cram_split(copy, sizeof answer - 1, 3, &name) == (c && strchr("0123456789abcdef", c) != 0));
    }
}

int main(void) {
  whole();
  bytewise();
  return check_done();
}
