/* A status file and a line of /proc/PID/stat: what parses packs to the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "super/procstat.h"
#include "super/svstate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  stralloc text = STRALLOC_INIT;
  struct procstat p;
  struct svstatus s;
  char buf[SVSTATUS_SIZE];

  if (svstatus_parse((const char *)data, size, &s)) {
    svstatus_pack(buf, &s);
    if (memcmp(buf, data, 16) || buf[17] != (char)data[17]) abort();
    if (!sv_describe(&s, 0, 0, &text)) abort();
  }
  if (procstat_parse((const char *)data, size, &p) && p.started < 0) abort();
  stralloc_free(&text);
  return 0;
}
