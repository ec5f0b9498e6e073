/* Any header against any rule: no comparison reads beyond the message, and "not" is never true together with
 * "contains". */
#include "mail/filter.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  struct filter_message m = {.recipient = "joe@example.com"};
  stralloc header = STRALLOC_INIT, keyword = STRALLOC_INIT;
  size_t first = bytes_chr(s, size, '\n'), second = first < size ? first + 1 + bytes_chr(s + first + 1, size - first - 1, '\n') : size;
  int is[FILTER_COMPARISONS];

  if (!stralloc_copyb(&header, s, first) || (first < second && !stralloc_copyb(&keyword, s + first + 1, second - first - 1))) abort();
  for (size_t at = second < size ? second + 1 : size; at < size;) {
    size_t n = 0;

    do n += bytes_chr(s + at + n, size - at - n, '\n') + 1;
    while (at + n < size && (s[at + n] == ' ' || s[at + n] == '\t'));
    if (n > size - at) n = size - at;
    if (!filter_field(&m, s + at, n)) abort();
    at += n;
  }
  for (int c = 0; c < FILTER_COMPARISONS; ++c) {
    const struct filter_rule r = {(enum filter_comparison)c, stralloc_cstr(&header), stralloc_cstr(&keyword)};

    is[c] = filter_matches(&m, &r);
    if (is[c] && filter_fault(&r)) abort();
  }
  if ((is[FILTER_EQUALS] || is[FILTER_STARTS] || is[FILTER_ENDS]) && !is[FILTER_CONTAINS]) abort();
  if (is[FILTER_CONTAINS] && is[FILTER_CONTAINS_NOT]) abort();
  stralloc_free(&header);
  stralloc_free(&keyword);
  filter_message_free(&m);
  return 0;
}
