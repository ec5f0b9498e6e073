/* Lines before TLS: whatever they hold, the reply is whole lines of printable text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/starttls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const names[] = {"smtp", "pop3", "imap"};
  stralloc line = STRALLOC_INIT, out = STRALLOC_INIT;

  if (!stralloc_copyb(&line, (const char *)data, size)) abort();
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    stralloc_cut(&out, 0);
    (void)!starttls_command(starttls_find(names[i]), line.s, "h", &out);
    if (out.len < 2 || strcmp(out.s + out.len - 2, "\r\n") != 0) abort();
    for (size_t k = 0; k < out.len; ++k)
      if ((unsigned char)out.s[k] >= 127 || ((unsigned char)out.s[k] < 32 && !strchr("\r\n", out.s[k])) || !out.s[k]) abort();
  }
  stralloc_free(&line);
  stralloc_free(&out);
  return 0;
}
