/* spawn_proto: see spawn_proto.h. */
#include "queue/spawn_proto.h"

#include <string.h>

#include "base/bytes.h"
#include "queue/queuepath.h"

static int put_number(stralloc *out, uint16_t u) {
  char b[2] = {(char)(u & 255), (char)(u >> 8)};

  return stralloc_catb(out, b, 2);
}

int spawn_command_format(stralloc *out, const struct spawn_command *c) {
  char path[QUEUE_PATH];
  size_t n = queuepath_below(path, c->id);

  return put_number(out, c->delivery) && stralloc_catz(out, path, n) &&
         stralloc_catz(out, c->sender, strlen(c->sender)) &&
         stralloc_catz(out, c->extra, strlen(c->extra)) &&
         stralloc_catz(out, c->captured, strlen(c->captured)) &&
         stralloc_catz(out, c->recipient, strlen(c->recipient));
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

/* Finds the ends of n strings after the delivery number; 1, 0 more, -1 too long. */
static int find(const struct spawn_reader *r, const char *field[], size_t n, uint16_t *delivery,
                size_t *end) {
  const char *s = r->buf.s + r->taken;
  size_t len = r->buf.len - r->taken;
  size_t pos = 2;

  if (len < 2) return 0;
  *delivery = (uint16_t)((unsigned char)s[0] | (unsigned char)s[1] << 8);
  for (size_t i = 0; i < n; ++i) {
    size_t l = bytes_chr(s + pos, len - pos, 0);

    if (pos + l == len) return len > SPAWN_COMMAND_MAX ? -1 : 0;
    field[i] = s + pos;
    pos += l + 1;
  }
  if (pos > SPAWN_COMMAND_MAX) return -1;
  *end = r->taken + pos;
  return 1;
}

int spawn_command_take(struct spawn_reader *r, struct spawn_command *c) {
  const char *field[5];
  size_t end;
  int got = find(r, field, 5, &c->delivery, &end);

  if (got != 1) return got;
  r->taken = end;
  if (!queuepath_scan_below(field[0], strlen(field[0]), &c->id)) return -1;
  c->sender = field[1];
  c->extra = field[2];
  c->captured = field[3];
  c->recipient = field[4];
  return 1;
}

int spawn_report_take(struct spawn_reader *r, struct spawn_report *rep) {
  const char *field[1];
  size_t end;
  int got = find(r, field, 1, &rep->delivery, &end);

  if (got != 1) return got;
  r->taken = end;
  rep->result = field[0][0];
  rep->text = field[0][0] ? field[0] + 1 : field[0];
  return 1;
}

void spawn_reader_free(struct spawn_reader *r) {
  stralloc_free(&r->buf);
  r->taken = 0;
}
