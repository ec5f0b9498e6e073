/* control: the server side of send/control (control_proto.h): who may connect, how long and
 * how much; what a request means is its owner's business.
 *
 * Never blocks, whatever a client does: a connection has CONTROL_SECONDS in all, its lines
 * are short, and no further request is looked at while CONTROL_OUT_HIGH bytes of answers
 * wait for it.  Who may not give orders gets at most half of the connections. */
#ifndef SEND_CONTROL_H
#define SEND_CONTROL_H

#include <sys/types.h>

#include "base/loop.h"
#include "base/strerr.h"
#include "send/control_proto.h"

#define CONTROL_CLIENTS 16
#define CONTROL_SECONDS 10
#define CONTROL_OUT_HIGH 65536U

struct control;
struct control_client_slot {
  struct control *control; /* null: free */
  int fd;
  int may_order;
  struct loop_io io;
  struct loop_timer timer;
  struct control_reader in;
  stralloc out;
  size_t sent;
  int closing; /* nothing more is read */
};

struct control {
  struct loop *loop;
  struct loop_io io;
  int fd;
  /* Append the answer to a request: 1, or 0 when memory ran out. */
  int (*answer)(void *ctx, struct control_request *r, stralloc *out);
  /* Before the answers to some requests are sent: what they changed is made durable, and what
   * they made possible is begun.  0, or -1: they cannot be kept, and the client is told so. */
  int (*commit)(void *ctx);
  void *ctx;
  struct control_client_slot client[CONTROL_CLIENTS];
};

/* Listen at send/control below the current directory, which is made where we may; answer,
 * commit and ctx are set.  0, or -1 with e filled: goes without. */
int control_listen(struct control *c, struct loop *loop, struct strerr *e) MUST_CHECK;
void control_close(struct control *c);

/* May a process of these ids give orders?  And may it ask? */
int control_may_order(uid_t uid, uid_t own_uid);
int control_may_ask(uid_t uid, gid_t gid, uid_t own_uid, gid_t own_gid);

#endif
