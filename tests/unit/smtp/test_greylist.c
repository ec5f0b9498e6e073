/* What is said to a greylisting daemon, and what it may say. */
#include "smtp/greylist.h"

#include <string.h>

#include "check.h"

int main(void) {
  static const struct {
    const char *text;
    int want;
    uint16_t port;
  } servers[] = {{"127.0.0.1", 1, 1999}, {"127.0.0.1@7", 1, 7}, {"::1@65535", 1, 65535}, {"", 0, 0}, {"@1999", 0, 0}, {"127.0.0.1@", 0, 0},
                 {"127.0.0.1@0", 0, 0},  {"127.0.0.1@65536", 0, 0}, {"localhost", 0, 0}, {"127.0.0.1@x", 0, 0}, {"127.0.0.1@1@2", 0, 0}};
  static const char question[] = "I192.0.2.1\0Fa@b\0Tc@d\0";
  stralloc out = STRALLOC_INIT;
  char longest[GREYLIST_QUESTION_MAX];

  for (size_t i = 0; i < sizeof servers / sizeof *servers; ++i) {
    struct ip ip;
    uint16_t port;

    CHECK_CASE(greylist_server(servers[i].text, &ip, &port) == servers[i].want, servers[i].text);
    if (servers[i].want) CHECK_CASE(port == servers[i].port, servers[i].text);
  }
  CHECK(greylist_question(&out, "192.0.2.1", "a@b", "c@d"));
  CHECK(out.len == sizeof question && !memcmp(out.s, question, out.len));
  memset(longest, 'a', sizeof longest - 1);
  longest[sizeof longest - 1] = 0;
  CHECK(!greylist_question(&out, "192.0.2.1", longest, "c@d"));
  CHECK(greylist_answer("\1\2", 2) == GREYLIST_PASS && greylist_answer("\1\0", 2) == GREYLIST_PASS);
  CHECK(greylist_answer("\0\1", 2) == GREYLIST_WAIT);
  CHECK(greylist_answer("", 0) == GREYLIST_FAILED && greylist_answer("\1", 1) == GREYLIST_FAILED);
  CHECK(greylist_answer("\1\1\1", 3) == GREYLIST_FAILED && greylist_answer("11", 2) == GREYLIST_FAILED && greylist_answer("\2\0", 2) == GREYLIST_FAILED);
  stralloc_free(&out);
  return check_done();
}
