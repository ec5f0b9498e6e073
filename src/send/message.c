/* message: see message.h. */
#include "send/message.h"

#include <stdlib.h>
#include <string.h>

struct message *message_new(size_t recipients, size_t text) {
  struct message *m;
  size_t all;

  if (recipients > UINT32_MAX || text > UINT32_MAX || __builtin_mul_overflow(recipients, sizeof m->recipient[0], &all) ||
      __builtin_add_overflow(all, sizeof *m + text, &all))
    return 0;
  m = calloc(1, all);
  if (m) m->text = (char *)(m->recipient + recipients);
  return m;
}

static uint32_t put_text(struct message *m, const char *s) {
  uint32_t at = m->used;
  size_t n = strlen(s) + 1;

  memcpy(m->text + at, s, n);
  m->used += (uint32_t)n;
  return at;
}

void message_set_head(struct message *m, const char *sender, const char *extra, const char *captured) {
  size_t n = strlen(sender);

  put_text(m, sender);
  m->extra = put_text(m, extra);
  m->captured = put_text(m, captured);
  m->verp = n >= 4 && !strcmp(sender + n - 4, "-@[]");
}

void message_add_recipient(struct message *m, enum channel channel, uint32_t index, const char *address) {
  struct recipient *r = &m->recipient[m->recipients++];

  r->address = put_text(m, address);
  r->index = index;
  r->channel = (uint8_t)channel;
  m->left++;
}

void message_set_dsn(struct message *m, const char *dsn) {
  m->dsn = *dsn ? put_text(m, dsn) : 0;
}

void message_set_messid(struct message *m, const char *messid) {
  m->messid = *messid ? put_text(m, messid) : 0;
}

const char *message_messid(const struct message *m, char buf[MESSID_SIZE]) {
  return messid_of(m->messid ? m->text + m->messid : 0, m->id, buf);
}

void message_set_notify(struct message *m, const char *dsn) {
  m->recipient[m->recipients - 1].notify = *dsn ? put_text(m, dsn) : 0;
}

const char *message_host(const char *address) {
  const char *at = strrchr(address, '@');

  return at ? at + 1 : "";
}

void message_free(struct message *m) {
  if (!m) return;
  free(m->bundle);
  free(m);
}
