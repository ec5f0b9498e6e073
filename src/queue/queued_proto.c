/* queued_proto: see queued_proto.h. */
#include "queue/queued_proto.h"

#include <string.h>

#include "base/bytes.h"
#include "base/scan.h"

int queued_head_format(stralloc *out, const struct queued_head *h) {
  const uint64_t n[] = {h->hide, h->min_free, h->dir, h->message, h->envelope};

  if (!stralloc_catlit(out, "Q1")) return 0;
  for (size_t i = 0; i < 5; ++i)
    if (!stralloc_append(out, ' ') || !stralloc_catu64(out, n[i])) return 0;
  return stralloc_append(out, '\n');
}

/* n numbers, each after one blank, and nothing else. */
static int numbers(const char *s, size_t n, const uint64_t max[], uint64_t out[], size_t count) {
  for (size_t i = 0; i < count; ++i) {
    size_t len;

    if (!n || s[0] != ' ') return 0;
    ++s, --n;
    len = bytes_chr(s, n, ' ');
    if (!scan_u64_max(s, len, max[i], &out[i])) return 0;
    s += len;
    n -= len;
  }
  return n == 0;
}

int queued_head_parse(const char *s, size_t n, struct queued_head *h) {
  static const uint64_t max[] = {1, INT64_MAX, QUEUED_DIR_MAX, QUEUED_MESSAGE_MAX, QUEUED_ENVELOPE_MAX};
  uint64_t v[5];

  if (n < 2 || memcmp(s, "Q1", 2) || !numbers(s + 2, n - 2, max, v, 5)) return 0;
  *h = (struct queued_head){v[0], v[1], v[2], v[3], v[4]};
  return 1;
}

int queued_answer_format(stralloc *out, int code, uint64_t id) {
  return stralloc_catu64(out, (uint64_t)code) && stralloc_append(out, ' ') && stralloc_catu64(out, id) &&
         stralloc_append(out, '\n');
}

int queued_answer_parse(const char *s, size_t n, int *code, uint64_t *id) {
  static const uint64_t max[] = {UINT64_MAX};
  size_t blank = bytes_chr(s, n, ' ');
  uint64_t c;

  if (!scan_u64_max(s, blank, 255, &c) || !numbers(s + blank, n - blank, max, id, 1)) return 0;
  *code = (int)c;
  return 1;
}
