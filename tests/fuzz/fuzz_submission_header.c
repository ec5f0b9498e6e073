/* A header that is completed: the same whole and in pieces, complete afterwards, the message's own bytes in
 * their order. */
#include "mail/submission_header.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct submission_fields fields = {"Date: now\n", "Message-ID: <1@x>\n"};

static void require(int holds) {
  if (!holds) abort();
}

static void run(const char *s, size_t n, size_t step, stralloc *out) {
  struct submission_header h = {0};

  for (size_t at = 0; at < n; at += step) require(submission_header_feed(&h, &fields, s + at, n - at < step ? n - at : step, out));
  require(submission_header_end(&h, &fields, out));
}

/* Is a what is left of b when some of its bytes are taken out? */
static int within(const char *a, size_t an, const char *b, size_t bn) {
  size_t i = 0;

  for (size_t j = 0; i < an && j < bn; ++j) i += a[i] == b[j];
  return i == an;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  stralloc whole = STRALLOC_INIT, pieces = STRALLOC_INIT, again = STRALLOC_INIT;

  run((const char *)data, size, size ? size : 1, &whole);
  run((const char *)data, size, 1, &pieces);
  require(whole.len == pieces.len && !memcmp(whole.s, pieces.s, whole.len));
  require(within((const char *)data, size, whole.s, whole.len));
  run(whole.s, whole.len, 7, &again);
  require(again.len == whole.len || again.len == whole.len + 1); /* complete; a blank line at most */
  stralloc_free(&whole);
  stralloc_free(&pieces);
  stralloc_free(&again);
  return 0;
}
