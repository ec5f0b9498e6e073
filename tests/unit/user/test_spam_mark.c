/* Which fields of a header mark spam. */
#include "user/spam_mark.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "check.h"

static const struct {
  const char *field;
  int spam;
} cases[] = {
    {"X-Bogosity: Yes, spamicity=0.99\n", 1}, {"X-Bogosity: Spam, tests=bogofilter\n", 1}, {"x-bogosity:\n yes\n", 1}, {"X-Spam-Flag: YES\n", 1},
    {"X-Spam-Flag:yes", 1},                   {"X-Spam-Status: Yes, score=9\n", 1},        {"X-Spam: Yes\n", 1},      {"X-Bogosity: No, tests\n", 0},
    {"X-Bogosity: Unsure\n", 0},              {"X-Bogosity: Yesterday\n", 0},              {"X-Bogosity:\n", 0},      {"X-Bogosity: Y", 0},
    {"X-Spam-Flag: NO\n", 0},                 {"X-Spam-Status: No, yes\n", 0},             {"Subject: Yes\n", 0},     {"X-Spam-Flags: YES\n", 0},
    {"X-Spam-Flag : YES\n", 1},               {"", 0},                                     {"X-Spam-Flag", 0},        {"X-Spam-Flag: Spam\n", 0},
};

static int in_message(const char *text) {
  FILE *f = tmpfile();
  struct strerr e;
  int r;

  CHECK(f && fd_write_all(fileno(f), text, strlen(text)) == 0);
  r = spam_mark_find(fileno(f), &e);
  fclose(f);
  return r;
}

int main(void) {
  struct strerr e;
  int p[2];

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) CHECK_CASE(spam_mark_field(cases[i].field, strlen(cases[i].field)) == cases[i].spam, cases[i].field);
  CHECK(in_message("Subject: x\nX-Spam-Flag: YES\n\nx\n") == 1 && in_message("Subject: x\nX-Spam-Flag: YES") == 1);
  CHECK(in_message("Subject: x\n\nX-Spam-Flag: YES\n") == 0 && in_message("") == 0 && in_message("X-Spam-Flag: NO\nX-Bogosity: Spam\n\n") == 1);
  CHECK(pipe(p) == 0 && spam_mark_find(p[0], &e) == -1);
  return check_done();
}
