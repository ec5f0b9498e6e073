/* Segments of a journal: nothing is read beyond them, what comes out can be written again and
 * comes out the same. */
#include "queue/journal_record.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  struct journal_record r, back;
  stralloc one = STRALLOC_INIT;
  uint64_t first, last, unused;
  size_t pos = 0, at;

  if (!journal_head_parse(s, size, &first)) return 0;
  while (journal_next(s, size, first, &pos, &last, &r) == 1) {
    require(journal_head_format(&one, r.batch) && journal_record_format(&one, &r));
    at = 0;
    require(journal_next(one.s, one.len, r.batch, &at, &unused, &back) == 1 && back.id == r.id && back.boot == r.boot);
    require(back.message_n == r.message_n && !memcmp(back.message, r.message, r.message_n));
    require(back.envelope_n == r.envelope_n && !memcmp(back.envelope, r.envelope, r.envelope_n));
  }
  stralloc_free(&one);
  return 0;
}
