/* A stream of frames from todo-proc: messages and log lines, whole and byte by byte; a
 * message that was taken comes back the same from its own frame. */
#include "send/job.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

static enum job_kind take_all(struct job_reader *r, stralloc *out) {
  struct message *m;
  const char *text;
  enum job_kind kind;

  for (;;) {
    kind = job_take(r, &m, &text);
    if (kind == JOB_MESSAGE) {
      require(job_format(out, m));
      message_free(m);
    } else if (kind == JOB_LOG) {
      require(job_format_log(out, text));
    } else {
      return kind;
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  struct job_reader whole = {0}, bytes = {0}, again = {0};
  stralloc a = STRALLOC_INIT, b = STRALLOC_INIT, c = STRALLOC_INIT;
  enum job_kind v, w = JOB_MORE;

  require(job_reader_add(&whole, s, size));
  v = take_all(&whole, &a);
  for (size_t i = 0; i < size && w == JOB_MORE; ++i) {
    require(job_reader_add(&bytes, s + i, 1));
    w = take_all(&bytes, &b);
  }
  require(v == w && a.len == b.len && (!a.len || !memcmp(a.s, b.s, a.len)));
  require(job_reader_add(&again, stralloc_cstr(&a), a.len));
  require(take_all(&again, &c) == JOB_MORE && a.len == c.len && (!a.len || !memcmp(a.s, c.s, a.len)));
  job_reader_free(&whole);
  job_reader_free(&bytes);
  job_reader_free(&again);
  stralloc_free(&a);
  stralloc_free(&b);
  stralloc_free(&c);
  return 0;
}
