/* IMAP commands before login: lines and literals, divided at line feeds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/imap_command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct imap_command c = {.args = 0};
  const char *s = (const char *)data;
  const char *end = s + size;
  uint64_t literal = 0;
  int sync = 1;
  enum imap_parsed p = IMAP_DONE;

  while (s < end) {
    const char *lf = memchr(s, '\n', (size_t)(end - s));
    const char *stop = lf ? lf : end;

    if (p != IMAP_LITERAL) p = imap_command_line(&c, s, (size_t)(stop - s), &literal, &sync);
    else if (literal <= (uint64_t)(stop - s))
      p = imap_command_literal(&c, s, (size_t)literal, s + literal, (size_t)(stop - s) - (size_t)literal, &literal, &sync);
    else break;
    require(p != IMAP_LITERAL || sync == 0 || sync == 1);
    require(c.tag.len <= IMAP_TAG_MAX);
    for (unsigned i = 0; i < c.args && i < IMAP_ARGS_MAX; ++i)
      require(!c.arg[i].len || !memchr(c.arg[i].s, 0, c.arg[i].len));
    s = stop + 1;
  }
  imap_command_free(&c);
  return 0;
}
