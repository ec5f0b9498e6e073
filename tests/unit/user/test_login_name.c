/* Names of logins as they are typed, and whose they are. */
#include "user/login_name.h"

#include <string.h>

#include "check.h"

static const struct {
  const char *name, *want; /* null: nobody's */
} cases[] = {
    {"ann@example.com", "ann@example.com"},
    {"Ann@Example.COM", "Ann@Example.COM"}, /* case is not ours to change */
    {"ann", "ann"},
    {"", ""},
    {"ann@b\xc3\xbc" "cher.example", "ann@xn--bcher-kva.example"},
    {"ann@bu\xcc\x88" "cher.example", "ann@xn--bcher-kva.example"},
    {"ann@B\xc3\x9c" "CHER.example", "ann@xn--bcher-kva.example"},
    {"ann@stra\xc3\x9f" "e.example", "ann@xn--strae-oqa.example"},
    {"\xef\xbd\x81nn@example.com", "ann@example.com"},           /* a wide letter */
    {"ann\xef\xbc\xa0" "example.com", "ann@example.com"},        /* a wide @ */
    {"a\xc2\xad" "nn@example.com", "ann@example.com"},           /* a soft hyphen is nothing */
    {"j\xc3\xb6rg", "j\xc3\xb6rg"},
    {"jo\xcc\x88rg@example.com", "j\xc3\xb6rg@example.com"},
    {"a\xc3\xa9@x@b\xc3\xbc" "cher.example", "a\xc3\xa9@x@xn--bcher-kva.example"},
    {"ann@\xc3\xbc" "0123456789012345678901234567890123456789012345678901234567890123.example", 0},
    {"ann@\xe2\x98\x83.\xe2\x80\xab.example", 0},                /* no letters of a name */
    {"j\xf6rg@example.com", 0},                                  /* no UTF-8 */
    {"a\xc3\xa9\x01@example.com", 0},
    {"\xd8\xa7x@example.com", 0},                                /* both directions */
    {"\xc2\xad", 0},                                             /* nothing is left */
};

int main(void) {
  stralloc out = STRALLOC_INIT;
  char huge[400];

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    int r = login_name_prepare(&out, cases[i].name, strlen(cases[i].name));

    CHECK_CASE(r == (cases[i].want != 0), cases[i].name);
    if (r == 1 && cases[i].want) CHECK_CASE(stralloc_equals(&out, cases[i].want), cases[i].name);
  }
  CHECK(login_name_prepare(&out, "a\0b\xc3\xa9", 5) == 0);
  memset(huge, 'a', sizeof huge);
  memcpy(huge, "\xc3\xa9", 2);
  CHECK(login_name_prepare(&out, huge, sizeof huge) == 0);
  stralloc_free(&out);
  for (long n = 1; n <= 2; ++n) {
    check_nomem(n);
    CHECK(login_name_prepare(&out, n == 1 ? "ann" : "\xc3\xa9", n == 1 ? 3 : 2) == -1);
    check_nomem(0);
    stralloc_free(&out);
  }
  return check_done();
}
