/* An automatic answer to any message: it has one header, of our fields only, and no field of the message makes
 * another. */
#include "mail/autoreply.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const stralloc *out) {
  static const char *const ours[] = {"date", "from", "to", "subject", "message-id", "in-reply-to", "references", "auto-submitted", "precedence",
                                     "mime-version", "content-type", "content-transfer-encoding"};
  const char *s = out->s;
  size_t left = out->len, i = 0, body;

  while (left && *s != '\n') {
    size_t n = bytes_chr(s, left, '\n') + 1, name = header_name(s, n, &body);

    if (!name || n > left) abort();
    while (i < sizeof ours / sizeof *ours && !(strlen(ours[i]) == name && bytes_caseequal(s, ours[i], name))) ++i; /* in this order */
    if (i == sizeof ours / sizeof *ours) abort();
    s += n;
    left -= n;
  }
  if (!left) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct autoreply a = {.sender = "a@b.example", .recipient = "joe@example.com"};
  const struct autoreply_answer w = {.from = "", .name = "", .prefix = "Re:", .type = "text/plain", .host = "h", .now = 1, .unique = 1};
  const char *s = (const char *)data;
  stralloc out = STRALLOC_INIT;
  size_t left = size;

  while (left) {
    size_t n = 0;

    do n += bytes_chr(s + n, left - n, '\n') + 1;
    while (n < left && (s[n] == ' ' || s[n] == '\t'));
    if (n > left) n = left;
    if (!autoreply_field(&a, s, n)) abort();
    s += n;
    left -= n;
  }
  (void)autoreply_against(&a);
  if (!autoreply_compose(&a, &w, (const char *)data, size, &out)) abort();
  check(&out);
  stralloc_free(&out);
  autoreply_free(&a);
  return 0;
}
