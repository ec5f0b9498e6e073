/* A command line: split, its path, its parameters.  What is accepted must be what
 * the queue can take. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/smtp_syntax.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

static void parameters(const char *rest, size_t n) {
  struct smtp_parameter p;
  size_t steps = 0;

  while (smtp_parameter_next(&rest, &n, &p) == 1) require(++steps < 10000 && p.keyword_n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct smtp_path p = {0};
  struct smtp_command c;
  const char *rest;
  size_t n, used;

  smtp_command_split((const char *)data, size, &c);
  require(c.verb_n + c.arg_n <= size);
  if (smtp_path_argument(c.arg, c.arg_n, "FROM:", &p, &rest, &n) == SMTP_OK) {
    require(p.address.len <= SMTP_ADDRESS_MAX && p.at <= p.address.len && n <= c.arg_n);
    require(!p.address.len || !memchr(p.address.s, 0, p.address.len));
    require(!p.address.len || !memchr(p.address.s, '\n', p.address.len));
    parameters(rest, n);
  }
  if (smtp_path_parse((const char *)data, size, &p, &used) == SMTP_OK) require(used <= size);
  smtp_path_free(&p);
  return 0;
}
