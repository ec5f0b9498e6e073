/* Archive rules: first line the sender, then rules, an empty line, recipients.  What is added
 * is no recipient, and nothing is added twice. */
#include "queue/archive_rules.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  struct strlist rules = {0}, recipients = {0}, to = {0};
  stralloc sender = STRALLOC_INIT;
  int line = 0, behind = 0;

  if (size > 2000 || memchr(data, 0, size)) return 0;
  for (size_t at = 0; at < size; ++line) {
    size_t n = bytes_chr(s + at, size - at, '\n');

    if (!line) require(stralloc_copyb(&sender, s + at, n));
    else if (!n) behind = 1;
    else require(strlist_add(behind ? &recipients : &rules, s + at, n));
    at += n + 1;
  }
  require(archive_rules_apply(&rules, &sender, &recipients, &to));
  for (size_t i = 0; i < to.len; ++i) {
    require(to.item[i].len && strlist_find(&recipients, to.item[i].s, to.item[i].len) < 0);
    require(strlist_find(&to, to.item[i].s, to.item[i].len) == (long)i);
  }
  strlist_free(&rules);
  strlist_free(&recipients);
  strlist_free(&to);
  stralloc_free(&sender);
  return 0;
}
