/* tcprules_data: see tcprules_data.h. */
#include "net/tcprules_data.h"

#include <string.h>

#include "base/bytes.h"

int tcprules_next(const char *data, size_t n, size_t *pos, const char **var) {
  size_t len;

  if (*pos >= n) return 0;
  if (data[*pos] == 'D') {
    if (++*pos < n && !data[*pos]) ++*pos;
    return 'D';
  }
  len = bytes_chr(data + *pos, n - *pos, 0);
  if (data[*pos] != '+' || len == n - *pos || !memchr(data + *pos, '=', len)) return -1;
  *var = data + *pos + 1;
  *pos += len + 1;
  return '+';
}
