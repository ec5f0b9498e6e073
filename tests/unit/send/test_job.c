/* Frames between todo-proc and qmail-send: round trip whole and byte by byte, and damage. The set
 * of known ids. */
#include "send/job.h"

#include <stdlib.h>

#include "check.h"
#include "send/idset.h"

static int format(stralloc *out) {
  static const struct job_head h = {123456789012345, 5, 77, 1000, 4711, 99, 1};
  stralloc sender = STRALLOC_INIT, extra = STRALLOC_INIT, captured = STRALLOC_INIT, dsn = STRALLOC_INIT;
  stralloc messid = STRALLOC_INIT;
  struct job_writer w;
  int ok;

  ok = stralloc_copys(&sender, "a@b") && stralloc_copys(&extra, "X: y\n") && stralloc_copys(&dsn, "RET=HDRS ENVID=q") &&
       stralloc_copys(&messid, "17.42");
  if (ok) {
    job_begin(&w, out, &h, &sender, &extra, &captured, &dsn, &messid);
    job_recipient(&w, CHANNEL_LOCAL, 0, "l@x", "", 0);
    job_recipient(&w, CHANNEL_REMOTE, 2, "r@y", "NOTIFY=NEVER", 12);
    ok = job_end(&w);
  }
  stralloc_free(&sender);
  stralloc_free(&extra);
  stralloc_free(&dsn);
  stralloc_free(&messid);
  return ok;
}

static void check_same(const struct job_head *h, const struct message *m) {
  CHECK(h->id == 123456789012345 && h->birth == 5 && h->size == 77 && h->uid == 1000 && h->qp == 4711);
  CHECK(h->tried == 99 && h->marks == 1 && m->id == h->id && m->birth == 5);
  CHECK(!strcmp(message_sender(m), "a@b") && !strcmp(m->text + m->extra, "X: y\n") && !m->text[m->captured]);
  CHECK(m->recipients == 2 && m->left == 2 && !m->verp);
  CHECK(!strcmp(m->text + m->messid, "17.42"));
  CHECK(!strcmp(message_dsn(m), "RET=HDRS ENVID=q") && !*message_notify(m, &m->recipient[0]));
  CHECK(!strcmp(message_notify(m, &m->recipient[1]), "NOTIFY=NEVER"));
  CHECK(!strcmp(message_address(m, &m->recipient[0]), "l@x") && m->recipient[0].channel == CHANNEL_LOCAL);
  CHECK(!strcmp(message_address(m, &m->recipient[1]), "r@y") && m->recipient[1].index == 2);
}

static void round_trip(size_t step) {
  struct job_reader r = {0};
  struct job_head h;
  struct message *m;
  stralloc out = STRALLOC_INIT;
  const char *text = 0;
  int messages = 0;
  int logs = 0;

  CHECK(format(&out) && job_format_log(&out, JOB_WARNING, "hello") && job_format_log(&out, JOB_INFO, "hello") && format(&out));
  for (size_t i = 0; i < out.len; i += step) {
    enum job_kind k;

    CHECK(job_reader_add(&r, out.s + i, step < out.len - i ? step : out.len - i));
    while ((k = job_take(&r, &h, &m, &text)) != JOB_MORE) {
      CHECK(k == JOB_MESSAGE || k == JOB_WARNING || k == JOB_INFO);
      if (k == JOB_MESSAGE) {
        ++messages;
        check_same(&h, m);
        message_free(m);
      } else {
        ++logs;
        CHECK(!strcmp(text, "hello"));
      }
    }
  }
  CHECK(messages == 2 && logs == 2);
  stralloc_free(&out);
  job_reader_free(&r);
}

/* Every byte changed in turn: a message, a refusal or a wait for more, never a crash. */
static void damage(void) {
  struct job_head h;
  struct message *m;
  stralloc out = STRALLOC_INIT;

  CHECK(format(&out));
  for (size_t i = 0; i < out.len; ++i)
    for (int c = 0; c < 256; c += 5) {
      struct job_reader r = {0};
      const char *text;
      char was = out.s[i];
      enum job_kind k;

      out.s[i] = (char)c;
      CHECK(job_reader_add(&r, out.s, out.len));
      k = job_take(&r, &h, &m, &text);
      if (k == JOB_MESSAGE) message_free(m);
      CHECK(k != JOB_NOMEM);
      out.s[i] = was;
      job_reader_free(&r);
    }
  stralloc_free(&out);
}

/* Without memory no half a frame is left behind. */
static void no_memory(void) {
  for (long n = 1;; ++n) {
    stralloc out = STRALLOC_INIT;
    int ok;

    check_nomem(n);
    ok = format(&out);
    if (check_allocs() < n) {
      check_nomem(0);
      stralloc_free(&out);
      break;
    }
    check_nomem(0);
    CHECK(ok || !out.len);
    stralloc_free(&out);
  }
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
  no_memory();
  ids();
  return check_done();
}
