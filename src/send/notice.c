/* notice: see notice.h. */
#include "send/notice.h"

#include <string.h>

#include "mail/dsn.h"
#include "queue/spawn_proto.h"

static int is_somebody(const char *sender) {
  return *sender && strcmp(sender, "#@[]");
}

int notice_wanted(const struct message *m, const struct recipient *r, unsigned what) {
  const char *notify = message_notify(m, r);

  return *notify && is_somebody(message_sender(m)) && dsn_asks(notify, strlen(notify), what);
}

int notice_by(const struct message *m, const struct recipient *r, int64_t now) {
  const char *notify = message_notify(m, r);

  return m->by && !m->by_return && now >= m->by && is_somebody(message_sender(m)) &&
         !dsn_asks(notify, strlen(notify), DSN_NEVER);
}

int notice_traced(const struct message *m, const struct recipient *r) {
  const char *notify = message_notify(m, r);

  return m->by_trace && r->channel == CHANNEL_REMOTE && is_somebody(message_sender(m)) && !dsn_asks(notify, strlen(notify), DSN_NEVER);
}

static int ends(const char *report, size_t n, const char *end) {
  size_t len = strlen(end);

  return n >= len && !memcmp(report + n - len, end, len);
}

/* "did files+forwards+programs": forwards and nothing else, to one address or to several. */
static enum bounce_action local_success(const char *report) {
  const char *did = strstr(report, "did 0+");
  size_t n = did ? strspn(did + 6, "0123456789") : 0;

  if (!n || did[6] == '0' || strncmp(did + 6 + n, "+0\n", 3)) return BOUNCE_DELIVERED;
  return n == 1 && did[6] == '1' ? BOUNCE_RELAYED : BOUNCE_EXPANDED;
}

int notice_success(enum channel channel, const char *report, enum bounce_action *action) {
  *action = channel == CHANNEL_LOCAL ? local_success(report) : BOUNCE_RELAYED;
  if (channel == CHANNEL_LOCAL) return *action != BOUNCE_RELAYED || !ends(report, strlen(report), SPAWN_DSN_FORWARDED);
  return !ends(report, strcspn(report, "\n"), SPAWN_DSN_TAKEN); /* what the server said comes behind it */
}

int notice_is_late(int64_t birth, int64_t now, uint64_t after) {
  return after && now >= birth && (uint64_t)(now - birth) >= after;
}
