/* check_greetdelay: a client that talks before it is greeted is a program that does not listen.
 * With GREETDELAY the greeting waits; when it is negative, such a client is refused.  QMTP has no
 * greeting: its clients talk first. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/scan.h"
#include "base/wait.h"
#include "smtp/checks.h"

#define LONGEST 3600

/* It may have hung up instead. */
static int has_talked(int fd) {
  char byte;

  return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1 || errno == ENOTSOCK;
}

enum verdict check_greetdelay(const struct connection *c, const struct transaction *t, const struct conf *conf,
                              struct policy_reply *r) {
  const char *text = conf_line(conf, SET_greetdelay);
  int64_t seconds = 0;
  deadline end;

  if (c->speaks == SPEAKS_QMTP) return VERDICT_NEXT;
  if (!scan_i64(text, strlen(text), &seconds) || !seconds || c->input == -1) return VERDICT_NEXT;
  end = deadline_in(seconds > LONGEST || seconds < -LONGEST ? LONGEST : seconds < 0 ? -seconds : seconds);
  if (seconds > 0) {
    wait_until(end);
    return VERDICT_NEXT;
  }
  if (wait_fd(c->input, POLLIN, end) == -1 || !has_talked(c->input)) return VERDICT_NEXT;
  return policy_say(r, VERDICT_REJECT, 554, "5.7.1", "you talked before you were greeted");
}
