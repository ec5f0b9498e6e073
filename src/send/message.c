/* message: see message.h. */
#include "send/message.h"

#include <stdlib.h>
#include <string.h>

struct message *message_new(void) {
  return calloc(1, sizeof(struct message));
}

int message_add_recipient(struct message *m, enum channel channel, uint32_t index,
                          const char *address, int done) {
  struct recipient *r;

  if (m->recipients == m->recipients_a) {
    size_t a = m->recipients_a ? m->recipients_a * 2 : 1;
    struct recipient *all = reallocarray(m->recipient, a, sizeof *all);

    if (!all) return 0;
    m->recipient = all;
    m->recipients_a = a;
  }
  r = &m->recipient[m->recipients];
  r->address = strdup(address);
  if (!r->address) return 0;
  r->notify = 0;
  r->index = index;
  r->channel = (uint8_t)channel;
  r->state = done ? RECIPIENT_DONE : RECIPIENT_WAITING;
  m->recipients++;
  return 1;
}

int message_set_notify(struct message *m, const char *dsn, size_t n) {
  char *copy = n ? strndup(dsn, n) : 0;

  if (!n) return 1;
  if (copy) m->recipient[m->recipients - 1].notify = copy;
  return copy != 0;
}

void message_free(struct message *m) {
  if (!m) return;
  for (size_t i = 0; i < m->recipients; ++i) {
    free(m->recipient[i].address);
    free(m->recipient[i].notify);
  }
  free(m->recipient);
  stralloc_free(&m->sender);
  stralloc_free(&m->extra);
  stralloc_free(&m->captured);
  stralloc_free(&m->dsn);
  free(m);
}
