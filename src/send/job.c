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

void job_begin(struct job_writer *w, stralloc *out, const struct job_head *h, const stralloc *sender,
               const stralloc *extra, const stralloc *captured, const stralloc *dsn, const stralloc *messid) {
  *w = (struct job_writer){out, out->len, 0};
  w->ok = stralloc_catb(out, "\0\0\0\0", 4) && stralloc_append(out, 'J') && put_u64(out, h->id) &&
          put_u64(out, h->birth) && put_u64(out, h->size) && put_u64(out, h->uid) && put_u64(out, h->qp) &&
          put_u64(out, h->tried) && put_u64(out, h->marks) && put_sa(out, sender) && put_sa(out, extra) && put_sa(out, captured) && put_sa(out, dsn) &&
          put_sa(out, messid);
}

void job_recipient(struct job_writer *w, enum channel channel, uint32_t index, const char *address, const char *notify,
                   size_t notify_n) {
  w->ok = w->ok && stralloc_append(w->out, channel == CHANNEL_LOCAL ? 'L' : 'R') && put_u64(w->out, index) &&
          stralloc_catz(w->out, address, strlen(address)) && stralloc_catz(w->out, notify, notify_n);
}

int job_end(struct job_writer *w) {
  return close_frame(w->out, w->start, w->ok);
}

int job_format_log(stralloc *out, enum job_kind kind, const char *text) {
  size_t start = out->len;

  return stralloc_catb(out, "\0\0\0\0", 4) &&
         close_frame(out, start, stralloc_append(out, kind == JOB_INFO ? 'I' : 'L') && stralloc_catz(out, text, strlen(text)));
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

static int next_head(struct cursor *c, struct job_head *h) {
  return next_u64(c, &h->id) && next_u64(c, &h->birth) && next_u64(c, &h->size) && next_u64(c, &h->uid) &&
         next_u64(c, &h->qp) && next_u64(c, &h->tried) && next_u64(c, &h->marks) && h->birth <= INT64_MAX && h->tried <= INT64_MAX;
}

/* A recipient as it stands in a frame. */
struct part {
  enum channel channel;
  uint32_t index;
  const char *address, *notify;
  size_t address_n, notify_n;
};

static int next_recipient(struct cursor *c, struct part *p) {
  const char *head;
  size_t headn;

  if (!next(c, &head, &headn) || !next(c, &p->address, &p->address_n) || !next(c, &p->notify, &p->notify_n)) return 0;
  if (headn < 2 || (head[0] != 'L' && head[0] != 'R')) return 0;
  p->channel = head[0] == 'L' ? CHANNEL_LOCAL : CHANNEL_REMOTE;
  return scan_u32(head + 1, headn - 1, &p->index);
}

#define HEAD_TEXTS 5 /* sender extra captured dsn messid */

/* Looks whether the frame is well formed and how much room its message needs. */
static int measure(struct cursor c, size_t *recipients, size_t *text) {
  struct part p;
  const char *s;
  size_t n;

  *recipients = *text = 0;
  for (int i = 0; i < HEAD_TEXTS; ++i) {
    if (!next(&c, &s, &n)) return 0;
    *text += n + 1;
  }
  for (; c.n; ++*recipients) {
    if (!next_recipient(&c, &p)) return 0;
    *text += p.address_n + 1 + (p.notify_n ? p.notify_n + 1 : 0);
  }
  return 1;
}

static enum job_kind read_message(struct cursor *c, struct job_head *h, struct message **m) {
  const char *text[HEAD_TEXTS] = {"", "", "", "", ""};
  struct part p;
  size_t recipients, room, n;

  if (!next_head(c, h) || !measure(*c, &recipients, &room)) return JOB_BAD;
  *m = message_new(recipients, room);
  if (!*m) return JOB_NOMEM;
  (*m)->id = h->id;
  (*m)->birth = (int64_t)h->birth;
  for (int i = 0; i < HEAD_TEXTS; ++i) (void)!next(c, &text[i], &n);
  message_set_head(*m, text[0], text[1], text[2]);
  message_set_dsn(*m, text[3]);
  message_set_messid(*m, text[4]);
  while (c->n && next_recipient(c, &p)) {
    message_add_recipient(*m, p.channel, p.index, p.address);
    message_set_notify(*m, p.notify);
  }
  return JOB_MESSAGE;
}

enum job_kind job_take(struct job_reader *r, struct job_head *h, struct message **m, const char **text) {
  const unsigned char *p = (const unsigned char *)r->buf.s + r->taken;
  size_t have = r->buf.len - r->taken;
  struct cursor c;
  size_t n;

  if (have < 4) return JOB_MORE;
  n = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
  if (n < 2 || n > JOB_FRAME_MAX) return JOB_BAD;
  if (have - 4 < n) return JOB_MORE;
  c.s = (const char *)p + 5;
  c.n = n - 1;
  r->taken += 4 + n;
  if (p[4] == 'L' || p[4] == 'I') return !next(&c, text, &n) || c.n ? JOB_BAD : p[4] == 'L' ? JOB_WARNING : JOB_INFO;
  return p[4] == 'J' ? read_message(&c, h, m) : JOB_BAD;
}

void job_reader_free(struct job_reader *r) {
  stralloc_free(&r->buf);
  r->taken = 0;
}
