/* journal_record: see journal_record.h. */
#include "queue/journal_record.h"

#include <string.h>

#include "queue/crc32.h"

static const char head_magic[8] = "IMjournl";
static const char record_magic[8] = "IMrecord";
#define HEAD_CHECKED 16   /* bytes of a segment's head before their checksum */
#define RECORD_CHECKED 40 /* of a record's */

static void put(char *s, uint64_t u, int bytes) {
  for (int i = 0; i < bytes; ++i, u >>= 8) s[i] = (char)(u & 255);
}

static uint64_t get(const char *s, int bytes) {
  uint64_t u = 0;

  for (int i = bytes; i-- > 0;) u = u << 8 | (unsigned char)s[i];
  return u;
}

static int zeros(stralloc *out, size_t n) {
  if (!stralloc_readyplus(out, n)) return 0;
  memset(out->s + out->len, 0, n + 1);
  out->len += n;
  return 1;
}

static uint32_t checksum(const char *head, const struct journal_record *r) {
  uint32_t sum = crc32(0, head, RECORD_CHECKED);

  sum = crc32(sum, r->envelope, r->envelope_n);
  return crc32(sum, r->message, r->message_n);
}

int journal_record_format(stralloc *out, const struct journal_record *r) {
  char head[JOURNAL_RECORD_HEAD] = {0};

  if (r->envelope_n > UINT32_MAX / 4 || r->message_n > UINT32_MAX / 4) return 0;
  memcpy(head, record_magic, sizeof record_magic);
  put(head + 8, r->batch, 8);
  put(head + 16, r->boot, 8);
  put(head + 24, r->id, 8);
  put(head + 32, r->envelope_n, 4);
  put(head + 36, r->message_n, 4);
  put(head + 40, checksum(head, r), 4);
  return stralloc_catb(out, head, sizeof head) && stralloc_catb(out, r->envelope, r->envelope_n) &&
         stralloc_catb(out, r->message, r->message_n) && zeros(out, -(r->envelope_n + r->message_n) & 7);
}

int journal_pad(stralloc *out) {
  return zeros(out, -out->len & (JOURNAL_BLOCK - 1));
}

int journal_head_format(stralloc *out, uint64_t first_batch) {
  char head[HEAD_CHECKED + 4];

  memcpy(head, head_magic, sizeof head_magic);
  put(head + 8, first_batch, 8);
  put(head + HEAD_CHECKED, crc32(0, head, HEAD_CHECKED), 4);
  stralloc_cut(out, 0);
  return stralloc_catb(out, head, sizeof head) && journal_pad(out);
}

int journal_head_parse(const char *s, size_t n, uint64_t *first_batch) {
  if (n < JOURNAL_BLOCK || memcmp(s, head_magic, sizeof head_magic) || get(s + HEAD_CHECKED, 4) != crc32(0, s, HEAD_CHECKED))
    return 0;
  *first_batch = get(s + 8, 8);
  return 1;
}

/* The record at pos, if there is a whole one. */
static int parse(const char *s, size_t n, size_t pos, struct journal_record *r) {
  const char *head = s + pos;
  size_t left = n - pos;

  if (left < JOURNAL_RECORD_HEAD || memcmp(head, record_magic, sizeof record_magic)) return 0;
  left -= JOURNAL_RECORD_HEAD;
  r->batch = get(head + 8, 8);
  r->boot = get(head + 16, 8);
  r->id = get(head + 24, 8);
  r->envelope_n = get(head + 32, 4);
  r->message_n = get(head + 36, 4);
  if (r->envelope_n > left || r->message_n > left - r->envelope_n) return 0;
  r->envelope = head + JOURNAL_RECORD_HEAD;
  r->message = r->envelope + r->envelope_n;
  return get(head + 44, 4) == 0 && get(head + 40, 4) == checksum(head, r);
}

int journal_next(const char *s, size_t n, uint64_t first_batch, size_t *pos, uint64_t *last, struct journal_record *r) {
  if (!*pos) {
    *pos = JOURNAL_BLOCK;
    *last = first_batch;
  }
  for (;;) {
    if (*pos >= n) return 0;
    if (parse(s, n, *pos, r) && r->batch >= *last) break;
    if (*pos % JOURNAL_BLOCK == 0) return 0;
    *pos = (*pos | (JOURNAL_BLOCK - 1)) + 1; /* the next batch */
  }
  *last = r->batch;
  *pos += (JOURNAL_RECORD_HEAD + r->envelope_n + r->message_n + 7) & ~(size_t)7;
  return 1;
}
