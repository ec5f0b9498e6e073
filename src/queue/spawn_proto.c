/* spawn_proto: see spawn_proto.h. */
#include "queue/spawn_proto.h"

#include <string.h>

#include "base/bytes.h"
#include "queue/queuepath.h"

static int put_number(stralloc *out, uint16_t u) {
  char b[2] = {(char)(u & 255), (char)(u >> 8)};

  return stralloc_catb(out, b, 2);
}

static int put_string(stralloc *out, const char *s) {
  return stralloc_catz(out, s, strlen(s));
}

int spawn_command_format(stralloc *out, const struct spawn_command *c) {
  char path[QUEUE_PATH];
  size_t n = queuepath_below(path, c->id);

  if (!put_number(out, c->delivery) || !stralloc_catz(out, path, n) || !put_string(out, c->messid) ||
      !put_string(out, c->sender) || !put_string(out, c->extra) || !put_string(out, c->captured) || !put_string(out, c->dsn))
    return 0;
  for (size_t i = 0; i < c->n; ++i)
    if (!put_string(out, c->recipient[i]) || !put_string(out, c->notify[i])) return 0;
  return stralloc_append(out, 0);
}

int spawn_report_format(stralloc *out, uint16_t delivery, char result, const char *text, size_t n) {
  n = bytes_chr(text, n, 0);
  if (n > SPAWN_TEXT_MAX) n = SPAWN_TEXT_MAX;
  return put_number(out, delivery) && stralloc_append(out, result) && stralloc_catz(out, text, n);
}

int spawn_reader_add(struct spawn_reader *r, const char *s, size_t n) {
  stralloc_shift(&r->buf, r->taken);
  r->taken = 0;
  return stralloc_catb(&r->buf, s, n);
}

/* What has come of one record: its delivery number, then strings. */
struct scan {
  const char *s;
  size_t len, pos;
};

/* 1, or 0 while not even the number is there. */
static int begin(const struct spawn_reader *r, struct scan *at, uint16_t *delivery) {
  *at = (struct scan){r->buf.s + r->taken, r->buf.len - r->taken, 2};
  if (at->len < 2) return 0;
  *delivery = (uint16_t)((unsigned char)at->s[0] | (unsigned char)at->s[1] << 8);
  return 1;
}

/* The next string: 1, 0 its end has not come, -1 the record is too long. */
static int next_string(struct scan *at, const char **field) {
  size_t l = bytes_chr(at->s + at->pos, at->len - at->pos, 0);

  if (at->pos + l >= SPAWN_COMMAND_MAX) return -1;
  if (at->pos + l == at->len) return 0;
  *field = at->s + at->pos;
  at->pos += l + 1;
  return 1;
}

#define FIELDS 6 /* before the recipients */

int spawn_command_take(struct spawn_reader *r, struct spawn_command *c) {
  const char *field[FIELDS];
  const char *recipient = "";
  struct scan at;
  int got = begin(r, &at, &c->delivery);

  for (size_t i = 0; got == 1 && i < FIELDS; ++i) got = next_string(&at, &field[i]);
  for (c->n = 0; got == 1; c->recipient[c->n++] = recipient) {
    got = next_string(&at, &recipient);
    if (got == 1 && !*recipient) break;
    if (got == 1 && c->n == SPAWN_RECIPIENTS_MAX) return -1;
    if (got == 1) got = next_string(&at, &c->notify[c->n]);
    if (got != 1) return got;
  }
  if (got != 1) return got;
  if (!c->n || !queuepath_scan_below(field[0], strlen(field[0]), &c->id)) return -1;
  r->taken += at.pos;
  c->messid = field[1];
  c->sender = field[2];
  c->extra = field[3];
  c->captured = field[4];
  c->dsn = field[5];
  return 1;
}

/* Drops what is left of a report that was cut: 1 at its end, 0 it goes on. */
static int skip_rest(struct spawn_reader *r) {
  size_t left = r->buf.len - r->taken;
  size_t n = left ? bytes_chr(r->buf.s + r->taken, left, 0) : 0;

  r->skipping = n == left;
  r->taken += n + !r->skipping;
  return !r->skipping;
}

int spawn_report_take(struct spawn_reader *r, struct spawn_report *rep) {
  const size_t max = 1 + SPAWN_TEXT_MAX;
  struct scan at;
  size_t n;
  char *text;

  if ((r->skipping && !skip_rest(r)) || !begin(r, &at, &rep->delivery)) return 0;
  text = r->buf.s + r->taken + at.pos;
  n = bytes_chr(text, at.len - at.pos, 0);
  if (n == at.len - at.pos && n <= max) return 0;
  if (n > max) {
    r->skipping = 1;
    n = max;
    text[n] = 0;
  }
  r->taken += at.pos + n + 1;
  rep->result = text[0];
  rep->text = text[0] ? text + 1 : text;
  return 1;
}

void spawn_reader_free(struct spawn_reader *r) {
  stralloc_free(&r->buf);
  r->taken = 0;
  r->skipping = 0;
}
