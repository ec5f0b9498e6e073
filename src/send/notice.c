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

/* The first line, for what a server said comes behind it. */
static int first_line_ends(const char *report, const char *end) {
  size_t n = strcspn(report, "\n");
  size_t len = strlen(end);

  return n >= len && !memcmp(report + n - len, end, len);
}

/* "did files+forwards+programs": forwards and nothing else. */
static int only_forwarded(const char *report) {
  const char *did = strstr(report, "did 0+");

  return did && did[6] != '0' && !strncmp(did + 6 + strspn(did + 6, "0123456789"), "+0\n", 3);
}

int notice_success(enum channel channel, const char *report, enum bounce_action *action) {
  *action = channel == CHANNEL_LOCAL && !only_forwarded(report) ? BOUNCE_DELIVERED : BOUNCE_RELAYED;
  return channel == CHANNEL_LOCAL || !first_line_ends(report, SPAWN_DSN_TAKEN);
}

int notice_is_late(int64_t birth, int64_t now, uint64_t after) {
  return after && now >= birth && (uint64_t)(now - birth) >= after;
}
