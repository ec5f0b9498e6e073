/* Frames between todo-proc and qmail-send: round trip whole and byte by byte, and damage. The set
 * of known ids. */
#include "send/job.h"

#include <stdlib.h>

#include "check.h"
#include "send/idset.h"

static struct message *sample(void) {
  struct message *m = message_new();

  m->id = 123456789012345;
  m->birth = 5;
  m->size = 77;
  m->uid = 1000;
  m->qp = 4711;
  m->tried = 99;
  CHECK(stralloc_copys(&m->sender, "a@b") && stralloc_copys(&m->extra, "X: y\n"));
  CHECK(stralloc_copys(&m->dsn, "RET=HDRS ENVID=q"));
  CHECK(message_add_recipient(m, CHANNEL_LOCAL, 0, "l@x", 0));
  CHECK(message_add_recipient(m, CHANNEL_REMOTE, 1, "gone@y", 1));
  CHECK(message_add_recipient(m, CHANNEL_REMOTE, 2, "r@y", 0) && message_set_notify(m, "NOTIFY=NEVER", 12));
  return m;
}

static void check_same(const struct message *m) {
  CHECK(m->id == 123456789012345 && m->birth == 5 && m->size == 77 && m->uid == 1000 && m->qp == 4711);
  CHECK(m->tried == 99 && stralloc_equals(&m->sender, "a@b") && stralloc_equals(&m->extra, "X: y\n"));
  CHECK(m->captured.len == 0 && stralloc_equals(&m->dsn, "RET=HDRS ENVID=q") && m->recipients == 2);
  CHECK(!m->recipient[0].notify && !strcmp(m->recipient[1].notify, "NOTIFY=NEVER"));
  CHECK(!strcmp(m->recipient[0].address, "l@x") && m->recipient[0].channel == CHANNEL_LOCAL);
  CHECK(!strcmp(m->recipient[1].address, "r@y") && m->recipient[1].index == 2);
}

static void round_trip(size_t step) {
  struct job_reader r = {0};
  struct message *m = sample();
  stralloc out = STRALLOC_INIT;
  const char *text = 0;
  int messages = 0;
  int logs = 0;

  CHECK(job_format(&out, m) && job_format_log(&out, "hello") && job_format(&out, m));
  message_free(m);
  for (size_t i = 0; i < out.len; i += step) {
    enum job_kind k;

    CHECK(job_reader_add(&r, out.s + i, step < out.len - i ? step : out.len - i));
    while ((k = job_take(&r, &m, &text)) != JOB_MORE) {
      CHECK(k == JOB_MESSAGE || k == JOB_LOG);
      if (k == JOB_MESSAGE) {
        ++messages;
        check_same(m);
        message_free(m);
      } else {
        ++logs;
        CHECK(!strcmp(text, "hello"));
      }
    }
  }
  CHECK(messages == 2 && logs == 1);
  stralloc_free(&out);
  job_reader_free(&r);
}

/* Every byte changed in turn: a message, a refusal or a wait for more, never a crash. */
static void damage(void) {
  struct message *m = sample();
  stralloc out = STRALLOC_INIT;

  CHECK(job_format(&out, m));
  message_free(m);
  for (size_t i = 0; i < out.len; ++i)
    for (int c = 0; c < 256; c += 5) {
      struct job_reader r = {0};
      const char *text;
      char was = out.s[i];
      enum job_kind k;

      out.s[i] = (char)c;
      CHECK(job_reader_add(&r, out.s, out.len));
      k = job_take(&r, &m, &text);
      if (k == JOB_MESSAGE) message_free(m);
      CHECK(k != JOB_NOMEM);
      out.s[i] = was;
      job_reader_free(&r);
    }
  stralloc_free(&out);
}

static void ids(void) {
  struct idset s = {0};
  char here[4096] = {0};

  srand(3);
  CHECK(!idset_has(&s, 1));
  for (int i = 0; i < 200000; ++i) {
    uint64_t id = 1 + (uint64_t)(rand() % 4095);

    if (rand() % 2) {
      CHECK(idset_add(&s, id * 1000003) == !here[id]);
      here[id] = 1;
    } else {
      idset_remove(&s, id * 1000003);
      here[id] = 0;
    }
  }
  for (uint64_t id = 1; id < 4096; ++id) CHECK(idset_has(&s, id * 1000003) == here[id]);
  idset_free(&s);
}

int main(void) {
  round_trip(1);
  round_trip(7);
  round_trip(100000);
  damage();
  ids();
  return check_done();
}
