/* control: see control.h. */
#include "send/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "queue/queuepath.h"

#define READ_SIZE 8192

static void drop(struct control_client_slot *c) {
  loop_io_remove(c->control->loop, &c->io);
  loop_timer_cancel(c->control->loop, &c->timer);
  c->fd = fd_close(c->fd);
  control_reader_free(&c->in);
  stralloc_free(&c->out);
  memset(c, 0, sizeof *c);
}

static void on_deadline(void *ctx) {
  drop(ctx);
}

static int say_error(stralloc *out, const char *text) {
  return control_begin(out, CONTROL_RECORD_error) && control_word(out, text) && control_end(out);
}

/* --- requests --- */

/* 1, or 0 when memory ran out. */
static int one(struct control_client_slot *c, const char *s, size_t n) {
  struct control_request r = {0};
  enum control_verdict v = control_request_parse(&r, s, n);
  int ok = v != CONTROL_NOMEM;

  if (v == CONTROL_BAD) ok = say_error(&c->out, "no such request");
  else if (ok && control_commands[r.command].right == CONTROL_ORDER && !c->may_order)
    ok = say_error(&c->out, "only root and the user of qmail-send may order that");
  else if (ok) ok = c->control->answer(c->control->ctx, &r, &c->out);
  control_request_free(&r);
  return ok;
}

/* Answers what has come, as far as there is room for answers.  0: no memory. */
static int answer_some(struct control_client_slot *c) {
  size_t was = c->out.len;
  const char *s;
  size_t n;
  int ok = 1, any = 0;

  while (ok && !c->closing && c->out.len - c->sent < CONTROL_OUT_HIGH) {
    enum control_take take = control_take_line(&c->in, &s, &n);

    if (take == CONTROL_MORE) break;
    if (take == CONTROL_LINE) {
      ok = one(c, s, n);
      any = 1;
    } else {
      ok = say_error(&c->out, "the line is too long");
      c->closing = 1;
    }
  }
  if (any && c->control->commit(c->control->ctx) == -1) {
    stralloc_cut(&c->out, was);
    ok = ok && say_error(&c->out, "unable to write " QUEUE_SEND_DIR "/orders: the order may not outlive a restart");
    c->closing = 1;
  }
  return ok;
}

/* 0: the client is gone. */
static int send_some(struct control_client_slot *c) {
  while (c->sent < c->out.len) {
    ssize_t w = send(c->fd, c->out.s + c->sent, c->out.len - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (w == -1 && errno == EINTR) continue;
    if (w == -1) return errno == EAGAIN;
    c->sent += (size_t)w;
  }
  stralloc_cut(&c->out, 0);
  c->sent = 0;
  if (c->out.a > 2 * CONTROL_OUT_HIGH) stralloc_free(&c->out);
  return 1;
}

static int receive(struct control_client_slot *c) {
  char buf[READ_SIZE];
  ssize_t n = recv(c->fd, buf, sizeof buf, MSG_DONTWAIT);

  if (n == -1) return errno == EINTR || errno == EAGAIN;
  if (n == 0) c->closing = 1;
  return control_reader_add(&c->in, buf, (size_t)n);
}

/* Reads only when everything read before was answered, so neither side's bytes pile up. */
static void on_client(void *ctx, int fd, unsigned events) {
  struct control_client_slot *c = ctx;
  int ok = 1;

  (void)fd;
  if (events & LOOP_READ && !c->closing) ok = receive(c);
  do ok = ok && answer_some(c) && send_some(c);
  while (ok && !c->sent && c->in.buf.len > c->in.taken && memchr(c->in.buf.s + c->in.taken, '\n', c->in.buf.len - c->in.taken) &&
         !c->closing);
  if (!ok || (c->closing && !c->out.len)) drop(c);
  else if (loop_io_set(c->control->loop, &c->io, c->out.len ? LOOP_WRITE : LOOP_READ) == -1) drop(c);
}

/* --- clients --- */

int control_may_order(uid_t uid, uid_t own_uid) {
  return uid == 0 || uid == own_uid;
}

int control_may_ask(uid_t uid, gid_t gid, uid_t own_uid, gid_t own_gid) {
  return control_may_order(uid, own_uid) || gid == own_gid;
}

static struct control_client_slot *free_slot(struct control *c, int may_order) {
  struct control_client_slot *slot = 0;
  int others = 0;

  for (size_t i = 0; i < CONTROL_CLIENTS; ++i) {
    if (!c->client[i].control) slot = &c->client[i];
    else others += !c->client[i].may_order;
  }
  return !may_order && others >= CONTROL_CLIENTS / 2 ? 0 : slot;
}

static void take_client(struct control *c, int fd) {
  struct ucred who;
  socklen_t len = sizeof who;
  struct control_client_slot *slot;
  int may_order;

  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == -1 ||
      !control_may_ask(who.uid, who.gid, geteuid(), getegid())) {
    fd_close(fd);
    return;
  }
  may_order = control_may_order(who.uid, geteuid());
  slot = free_slot(c, may_order);
  if (!slot) {
    fd_close(fd);
    return;
  }
  slot->control = c;
  slot->fd = fd;
  slot->may_order = may_order;
  if (loop_io_add(c->loop, &slot->io, fd, LOOP_READ, on_client, slot) == -1 ||
      loop_timer_set(c->loop, &slot->timer, deadline_in(CONTROL_SECONDS), on_deadline, slot) == -1)
    drop(slot);
}

static void on_listener(void *ctx, int fd, unsigned events) {
  int conn = accept4(fd, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK);

  (void)events;
  if (conn != -1) take_client(ctx, conn);
}

/* The directory keeps out who is not in our group; the socket's mode is the same. */
int control_listen(struct control *c, struct loop *loop, struct strerr *e) {
  struct sockaddr_un sa = {.sun_family = AF_UNIX, .sun_path = CONTROL_SOCKET};
  int fd = -1;

  c->loop = loop;
  (void)!file_mkdir(QUEUE_SEND_DIR, 0750);
  if ((unlink(CONTROL_SOCKET) == -1 && errno != ENOENT) ||
      (fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) == -1 ||
      bind(fd, (struct sockaddr *)&sa, sizeof sa) == -1 || chmod(CONTROL_SOCKET, 0660) == -1 || listen(fd, 64) == -1 ||
      loop_io_add(loop, &c->io, fd, LOOP_READ, on_listener, c) == -1) {
    strerr_sys(e, "unable to listen at " CONTROL_SOCKET, (char *)0);
    return fd_close(fd);
  }
  c->fd = fd;
  return 0;
}

void control_close(struct control *c) {
  for (size_t i = 0; i < CONTROL_CLIENTS; ++i)
    if (c->client[i].control) drop(&c->client[i]);
  if (!c->io.active) return;
  loop_io_remove(c->loop, &c->io);
  c->fd = fd_close(c->fd);
  unlink(CONTROL_SOCKET);
}
