/* Which names may lead to a file, and to which. */
#include "net/keeper.h"

#include <string.h>

#include "check.h"

int main(void) {
  static const char *const good[] = {"a", "example.com", "xn--bcher-kva.example", "1.2.3", "a-b.c", "-a.b"};
  static const char *const bad[] = {"", ".", "..", ".a", "a.", "a..b", "../x", "a/b", "/etc/passwd", "A.example", "a b", "a_b", "a\nb",
                                    "a\\b", "\xc3\xa4.example", "a%2fb", "*.example.com", "~"};
  char longest[KEEPER_NAME_MAX + 2];
  stralloc path = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof good / sizeof *good; ++i) {
    CHECK_CASE(keeper_name_ok(good[i]), good[i]);
    CHECK_CASE(keeper_path("/certs/names", good[i], &path) == 1, good[i]);
    CHECK(!strncmp(path.s, "/certs/names/", 13) && !strncmp(path.s + 13, good[i], strlen(good[i])) && !strcmp(path.s + 13 + strlen(good[i]), ".pem"));
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
    CHECK_CASE(!keeper_name_ok(bad[i]), bad[i]);
    CHECK_CASE(keeper_path("/certs/names", bad[i], &path) == 0, bad[i]);
  }
  memset(longest, 'a', sizeof longest);
  longest[KEEPER_NAME_MAX + 1] = 0;
  CHECK(!keeper_name_ok(longest));
  longest[KEEPER_NAME_MAX] = 0;
  CHECK(keeper_name_ok(longest));
  stralloc_free(&path);
  return check_done();
}
