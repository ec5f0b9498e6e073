/* The text of a bulletin, and the same as a list of addresses: what is taken begins with a header
 * field, and no line of the list is empty, has an LF, or is lost. */
#include "user/bulletin.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  struct strlist l = {0};
  size_t sum = 0, lines = 0;

  if (bulletin_text_ok(s, size)) require(size > 2 && s[0] > ' ' && memchr(s, ':', size) && !memchr(s, 0, size));
  if (!strlist_add_lines(&l, s, size)) return 0;
  for (size_t i = 0; i < l.len; ++i) {
    require(l.item[i].len && !memchr(l.item[i].s, '\n', l.item[i].len));
    sum += l.item[i].len;
  }
  for (size_t i = 0; i < size; ++i) lines += s[i] == '\n';
  require(sum + lines == size);
  strlist_free(&l);
  return 0;
}
