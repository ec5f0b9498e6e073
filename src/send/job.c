/* job: see job.h. */
#include "send/job.h"

#include <string.h>

#include "base/bytes.h"
#include "base/scan.h"

static void put_length(char *s, size_t n) {
  for (int i = 0; i < 4; ++i) s[i] = (char)(n >> (8 * i));
}

static int put_u64(stralloc *out, uint64_t u) {
  return stralloc_catu64(out, u) && stralloc_append(out, 0);
}

static int put_sa(stralloc *out, const stralloc *s) {
  return stralloc_catz(out, s->s, s->len);
}

static int put_message(stralloc *out, const struct message *m) {
  if (!stralloc_append(out, 'J') || !put_u64(out, m->id) || !put_u64(out, m->birth) ||
      !put_u64(out, m->size) || !put_u64(out, m->uid) || !put_u64(out, m->qp) ||
      !put_u64(out, m->tried > 0 ? (uint64_t)m->tried : 0) || !put_sa(out, &m->sender) ||
      !put_sa(out, &m->extra) || !put_sa(out, &m->captured) || !put_sa(out, &m->dsn))
    return 0;
  for (size_t i = 0; i < m->recipients; ++i) {
    const struct recipient *r = &m->recipient[i];

    if (r->state == RECIPIENT_DONE) continue;
    if (!stralloc_append(out, r->channel == CHANNEL_LOCAL ? 'L' : 'R') || !put_u64(out, r->index) ||
        !stralloc_catz(out, r->address, strlen(r->address)) ||
        !stralloc_catz(out, r->notify ? r->notify : "", r->notify ? strlen(r->notify) : 0))
      return 0;
  }
  return 1;
}

/* Puts the length before what was appended since start; undoes it on failure. */
static int close_frame(stralloc *out, size_t start, int ok) {
  size_t n = out->len - start;

  if (!ok || n - 4 > JOB_FRAME_MAX) {
    stralloc_cut(out, start);
    return 0;
  }
  put_length(out->s + start, n - 4);
  return 1;
}

int job_format(stralloc *out, const struct message *m) {
  size_t start = out->len;

  return stralloc_catb(out, "\0\0\0\0", 4) && close_frame(out, start, put_message(out, m));
}

int job_format_log(stralloc *out, const char *text) {
  size_t start = out->len;

  return stralloc_catb(out, "\0\0\0\0", 4) &&
         close_frame(out, start, stralloc_append(out, 'L') && stralloc_catz(out, text, strlen(text)));
}

int job_reader_add(struct job_reader *r, const char *s, size_t n) {
  stralloc_shift(&r->buf, r->taken);
  r->taken = 0;
  return stralloc_catb(&r->buf, s, n);
}

/* A cursor over the strings of a frame. */
struct cursor {
  const char *s;
  size_t n;
};

static int next(struct cursor *c, const char **s, size_t *n) {
  size_t len = bytes_chr(c->s, c->n, 0);

  if (len == c->n) return 0;
  *s = c->s;
  *n = len;
  c->s += len + 1;
  c->n -= len + 1;
  return 1;
}

static int next_u64(struct cursor *c, uint64_t *u) {
  const char *s;
  size_t n;

  return next(c, &s, &n) && scan_u64(s, n, u);
}

/* 1, 0 malformed, -1 no memory. */
static int next_sa(struct cursor *c, stralloc *sa) {
  const char *s;
  size_t n;

  if (!next(c, &s, &n)) return 0;
  return stralloc_copyb(sa, s, n) ? 1 : -1;
}

static int read_recipient(struct cursor *c, struct message *m) {
  const char *head, *address, *notify;
  size_t headn, addressn, notifyn;
  uint32_t index;
  int local;

  if (!next(c, &head, &headn) || !next(c, &address, &addressn) || !next(c, &notify, &notifyn)) return 0;
  if (headn < 2 || (head[0] != 'L' && head[0] != 'R') || !scan_u32(head + 1, headn - 1, &index)) return 0;
  local = head[0] == 'L';
  return message_add_recipient(m, local ? CHANNEL_LOCAL : CHANNEL_REMOTE, index, address, 0) &&
                 message_set_notify(m, notify, notifyn)
             ? 1
             : -1;
}

static int read_message(struct cursor *c, struct message *m) {
  uint64_t tried;
  int r;

  if (!next_u64(c, &m->id) || !next_u64(c, &m->birth) || !next_u64(c, &m->size) ||
      !next_u64(c, &m->uid) || !next_u64(c, &m->qp) || !next_u64(c, &tried))
    return 0;
  m->tried = tried > INT64_MAX ? 0 : (int64_t)tried;
  r = next_sa(c, &m->sender);
  if (r == 1) r = next_sa(c, &m->extra);
  if (r == 1) r = next_sa(c, &m->captured);
  if (r == 1) r = next_sa(c, &m->dsn);
  while (r == 1 && c->n) r = read_recipient(c, m);
  return r;
}

enum job_kind job_take(struct job_reader *r, struct message **m, const char **text) {
  const unsigned char *p = (const unsigned char *)r->buf.s + r->taken;
  size_t have = r->buf.len - r->taken;
  struct cursor c;
  size_t n;
  int got;

  if (have < 4) return JOB_MORE;
  n = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
  if (n < 2 || n > JOB_FRAME_MAX) return JOB_BAD;
  if (have - 4 < n) return JOB_MORE;
  c.s = (const char *)p + 5;
  c.n = n - 1;
  r->taken += 4 + n;
  if (p[4] == 'L') return next(&c, text, &n) && !c.n ? JOB_LOG : JOB_BAD;
  if (p[4] != 'J') return JOB_BAD;
  *m = message_new();
  if (!*m) return JOB_NOMEM;
  got = read_message(&c, *m);
  if (got == 1) return JOB_MESSAGE;
  message_free(*m);
  *m = 0;
  return got == 0 ? JOB_BAD : JOB_NOMEM;
}

void job_reader_free(struct job_reader *r) {
  stralloc_free(&r->buf);
  r->taken = 0;
}
