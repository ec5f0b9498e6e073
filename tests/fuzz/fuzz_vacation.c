/* .qmail of a user with a vacation reply put in and taken out: the other lines stay as they were. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/vacation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  stralloc text = STRALLOC_INIT, without = STRALLOC_INIT, with = STRALLOC_INIT, again = STRALLOC_INIT;
  int kept;

  require(stralloc_copyb(&text, (const char *)data, size));
  kept = vacation_edit(&text, "/h", 0, 0, &without);
  require(kept != -1);
  require(vacation_edit(&text, "/h", "/p", 0, &with) == 1 && with.len > without.len);
  require(vacation_edit(&with, "/h", 0, 0, &again) == kept || !kept || stralloc_equals(&without, "/h/Maildir/\n"));
  require(again.len == without.len && (!again.len || !memcmp(again.s, without.s, again.len)));
  stralloc_free(&text);
  stralloc_free(&without);
  stralloc_free(&with);
  stralloc_free(&again);
  return 0;
}
