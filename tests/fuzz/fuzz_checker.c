/* What descriptor 3 gives a program that checks a password: each field lies inside, and ends there. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/checker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const struct checker *c, const char *s) {
  if (s < c->text || s > c->text + c->len || s + strlen(s) > c->text + c->len) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct checker c;

  if (size > CHECKER_INPUT) size = CHECKER_INPUT;
  memset(&c, 0, sizeof c);
  if (size) memcpy(c.text, data, size);
  c.len = size;
  if (checker_parse(&c) == 0) {
    inside(&c, c.user);
    inside(&c, c.password);
    inside(&c, c.response);
    (void)checker_is_plain(&c);
  }
  if (checker_parse_change(&c) == 0) {
    inside(&c, c.user);
    inside(&c, c.password);
    inside(&c, c.response);
    inside(&c, c.fresh);
  }
  return 0;
}
