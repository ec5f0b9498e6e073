/* First line of a request to qmail-queued, and its answer: lengths are within bounds, and
 * what is taken is formatted to something that means the same. */
#include "queue/queued_proto.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  struct queued_head h, again;
  stralloc out = STRALLOC_INIT;
  uint64_t id, id2;
  int code = 0, code2 = 0;

  if (queued_head_parse(s, size, &h)) {
    require(h.hide <= 1 && h.dir <= QUEUED_DIR_MAX && h.message <= QUEUED_MESSAGE_MAX && h.envelope <= QUEUED_ENVELOPE_MAX);
    require(queued_head_format(&out, &h) && out.len <= QUEUED_HEAD_MAX && out.s[out.len - 1] == '\n');
    require(queued_head_parse(out.s, out.len - 1, &again) && !memcmp(&h, &again, sizeof h));
  }
  stralloc_cut(&out, 0);
  if (queued_answer_parse(s, size, &code, &id)) {
    require(code >= 0 && code <= 255);
    require(queued_answer_format(&out, code, id) && queued_answer_parse(out.s, out.len - 1, &code2, &id2));
    require(code == code2 && id == id2);
  }
  stralloc_free(&out);
  return 0;
}
