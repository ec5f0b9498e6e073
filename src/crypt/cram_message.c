/* cram_message: see cram_message.h. */
#include "crypt/cram_message.h"

#include "base/bytes.h"

static const struct {
  unsigned char method;
  size_t digits;
} digests[] = {{3, 32}, {4, 40}, {5, 56}, {6, 64}, {7, 96}, {8, 128}, {9, 40}};

/* Has it that method's number of digits? */
static int digest_ok(unsigned char method, const char *s, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f'))) return 0;
  for (size_t i = 0; i < sizeof digests / sizeof *digests; ++i)
    if (digests[i].method == method) return digests[i].digits == n;
  return 0;
}

int cram_split(const char *s, size_t n, unsigned char method, size_t *name) {
  size_t blank = bytes_rchr(s, n, ' ');

  if (!blank || blank == n || !digest_ok(method, s + blank + 1, n - blank - 1)) return 0;
  *name = blank;
  return 1;
}
