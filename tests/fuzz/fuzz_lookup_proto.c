/* Requests and answers of inlookup: what is taken apart lies inside the message. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/lookup_proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

static void inside(const char *s, size_t n, const struct lookup_field *f) {
  require(!f->n || (f->s >= s && f->s + f->n <= s + n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  struct lookup_request r;
  struct lookup_reader reader;
  struct lookup_field f;
  long n = lookup_frame(s, size, LOOKUP_REQUEST_MAX);

  require(n <= (long)size && n <= LOOKUP_REQUEST_MAX);
  if (n > 0 && !lookup_request_parse(s, (size_t)n, &r)) {
    inside(s, size, &r.reply);
    require(r.reply.n <= LOOKUP_NAME_MAX);
    for (size_t i = 0; i < lookup_ops[r.op].arguments; ++i) {
      inside(s, size, &r.arg[i]);
      require(!r.arg[i].n || !memchr(r.arg[i].s, 0, r.arg[i].n));
    }
  }
  (void)lookup_request_parse(s, size, &r);
  if (lookup_answer_parse(s, size, &reader) >= 0)
    while (lookup_answer_next(&reader, &f) == 1) inside(s, size, &f);
  return 0;
}
