/* worker_proto: see worker_proto.h. */
#include "queue/worker_proto.h"

#include <string.h>

#include "base/bytes.h"

int worker_job_format(stralloc *out, const char *const field[WORKER_FIELDS]) {
  stralloc_cut(out, 0);
  for (size_t i = 0; i < WORKER_FIELDS; ++i)
    if (!stralloc_catz(out, field[i], strlen(field[i]))) return 0;
  return 1;
}

int worker_job_parse(const char *s, size_t n, const char *field[WORKER_FIELDS]) {
  for (size_t i = 0; i < WORKER_FIELDS; ++i) {
    size_t len = bytes_chr(s, n, 0);

    if (len == n) return 0;
    field[i] = s;
    s += len + 1;
    n -= len + 1;
  }
  return n == 0;
}
