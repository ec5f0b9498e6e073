/* remote_turned: a message for a host that fetches its mail (ATRN): over the connection it has made.
 * See remote_run.h, smtp/turn.h. */
#include <string.h>

#include "smtp/remote_run.h"
#include "smtp/turn.h"

static enum remote_outcome send_it(struct remote_run *r, int fd) {
  struct smtp_client *c = &r->k->c;
  uint64_t timeout = conf_number(r->conf, SET_timeoutremote);
  int code;

  r->left = LEFT_BROKEN;
  smtp_client_init(c, fd, timeout);
  code = smtp_client_hello(c, conf_line(r->conf, SET_helohost), &r->e);
  if (code == -1) return NEXT_SERVER;
  if (code >= 300) return remote_give_up(r, 'Z', " fetches its mail, but my name was rejected.");
  return remote_transaction(r);
}

/* Can another message go over it? */
static int is_in_order(struct remote_run *r) {
  struct strerr ignored;

  if (r->left == LEFT_UNFINISHED && smtp_client_command(&r->k->c, "RSET", "", &ignored) != 250) return 0;
  return r->left != LEFT_BROKEN && !substdio_have(&r->k->c.in);
}

static void waits(struct remote_run *r, const char *why) {
  remote_puts(r, 'Z', "The message waits until ", r->job->host, " fetches it (ATRN)");
  if (*why) {
    remote_put(r, ": ", 2);
    remote_put_masked(r, why, strlen(why));
  }
  remote_put(r, ". (#4.4.1)\n", 11);
  remote_end_report(r);
}

void remote_turned(struct remote_run *r) {
  uint64_t timeout = conf_number(r->conf, SET_timeoutremote);
  int fd, sock;

  remote_keeper_quit(r->k);
  sock = turn_borrow(r->job->host, deadline_in((int64_t)timeout), &fd, r->address, &r->e);
  if (sock == -1) {
    waits(r, r->e.sys ? r->e.text : "");
    return;
  }
  if (send_it(r, fd) != OVER) waits(r, r->e.text);
  turn_give_back(sock, is_in_order(r) ? TURN_IN_ORDER : TURN_SPOILT);
  smtp_client_close(&r->k->c);
}
