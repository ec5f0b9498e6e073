/* A job for a resident qmail-local: the fields lie in the packet, and nothing is lost. */
#include "queue/worker_proto.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  const char *field[WORKER_FIELDS];
  stralloc out = STRALLOC_INIT;

  if (!worker_job_parse(s, size, field)) return 0;
  for (size_t i = 0; i < WORKER_FIELDS; ++i)
    if (field[i] < s || field[i] + strlen(field[i]) >= s + size) abort();
  if (!worker_job_format(&out, field) || out.len != size || memcmp(out.s, s, size)) abort();
  stralloc_free(&out);
  return 0;
}
