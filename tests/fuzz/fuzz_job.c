/* A stream of frames from todo-proc: messages and log lines, whole and byte by byte; a
 * message that was taken comes back the same from its own frame. */
#include "send/job.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

static int format(stralloc *out, const struct job_head *h, const struct message *m) {
  stralloc sender = STRALLOC_INIT, extra = STRALLOC_INIT, captured = STRALLOC_INIT, dsn = STRALLOC_INIT;
  stralloc messid = STRALLOC_INIT;
  struct job_writer w;

  require(stralloc_copys(&sender, message_sender(m)) && stralloc_copys(&extra, m->text + m->extra) &&
          stralloc_copys(&captured, m->text + m->captured) && stralloc_copys(&dsn, message_dsn(m)) &&
          stralloc_copys(&messid, m->messid ? m->text + m->messid : ""));
  job_begin(&w, out, h, &sender, &extra, &captured, &dsn, &messid);
  for (uint32_t i = 0; i < m->recipients; ++i) {
    const struct recipient *r = &m->recipient[i];
    const char *notify = message_notify(m, r);

    job_recipient(&w, (enum channel)r->channel, r->index, message_address(m, r), notify, strlen(notify));
  }
  stralloc_free(&messid);
  stralloc_free(&dsn);
  stralloc_free(&sender);
  stralloc_free(&extra);
  stralloc_free(&captured);
  return job_end(&w);
}

static enum job_kind take_all(struct job_reader *r, stralloc *out) {
  struct job_head h;
  struct message *m;
  const char *text;
  enum job_kind kind;

  for (;;) {
    kind = job_take(r, &h, &m, &text);
    if (kind == JOB_MESSAGE) {
      require(format(out, &h, m));
      message_free(m);
    } else if (kind == JOB_WARNING || kind == JOB_INFO) {
      require(job_format_log(out, kind, text));
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
