/* A job for a resident worker: the fields lie in the packet, and nothing is lost. */
#include "queue/worker_proto.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  const char *field[64];
  stralloc out = STRALLOC_INIT;
  size_t n = worker_job_parse(s, size, field, 64);

  if (!n) return 0;
  for (size_t i = 0; i < n; ++i)
    if (field[i] < s || field[i] + strlen(field[i]) >= s + size) abort();
  if (!worker_job_format(&out, field, n) || out.len != size || memcmp(out.s, s, size)) abort();
  stralloc_free(&out);
  return 0;
}
