/* order_give: see order_give.h. */
#include "send/order_give.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/scan.h"
#include "queue/found.h"
#include "queue/transition.h"
#include "send/control_client.h"
#include "send/orders.h"

/* --- trash --- */

/* Neither a link that exists already nor a missing trash/ is an error. */
static int keep(enum queue_file file, uint64_t id, const char *suffix) {
  char path[QUEUE_PATH];
  stralloc to = STRALLOC_INIT;
  int r = -1;

  queuepath(path, file, id);
  errno = ENOMEM;
  if (stralloc_copylit(&to, QUEUE_TRASH "/") && stralloc_catu64(&to, id) && stralloc_cats(&to, suffix)) {
    r = linkat(AT_FDCWD, path, AT_FDCWD, to.s, 0);
    if (r == -1 && errno == EEXIST) r = 0;
  }
  stralloc_free(&to);
  return r;
}

static int to_trash(uint64_t id) {
  if (access(QUEUE_TRASH, F_OK) == -1) return errno == ENOENT ? 0 : -1;
  if (keep(QUEUE_mess, id, "") == -1 || keep(QUEUE_info, id, ".info") == -1) return -1;
  return fd_syncdir(QUEUE_TRASH);
}

static void out_of_trash(uint64_t id) {
  stralloc path = STRALLOC_INIT;

  if (stralloc_copylit(&path, QUEUE_TRASH "/") && stralloc_catu64(&path, id)) {
    (void)unlink(path.s);
    if (stralloc_catlit(&path, ".info")) (void)unlink(path.s);
  }
  stralloc_free(&path);
}

/* --- without qmail-send --- */

/* Null, or why not. */
static const char *remove_here(uint64_t id) {
  struct envelope env = {0};
  int got = queue_load(id, &env, QUEUE_FOUND);

  envelope_free(&env);
  if (got == 0) return "no such message was accepted";
  if (got == -1) return "unable to read its envelope";
  if (to_trash(id) == -1) return "unable to keep it in " QUEUE_TRASH;
  if (queue_remove(id) == -1) return "unable to remove it";
  if (queue_bounce_remove(id) == -1 || queue_remove_marks(id) == -1) return "removed, but its marks are left";
  return 0;
}

static const char *note_here(struct orders *o, const struct control_request *r) {
  struct envelope env = {0};
  int got = r->by == CONTROL_BY_ID ? queue_load(r->id, &env, QUEUE_ANNOUNCED) : 1;

  envelope_free(&env);
  if (got != 1) return "no such message was accepted";
  switch (orders_note(o, r)) {
    case ORDERS_NOTED:
    case ORDERS_SAME: return orders_save(o) == -1 ? "unable to write " ORDERS_FILE : 0;
    case ORDERS_FULL: return "too many orders";
    case ORDERS_NOMEM: return "out of memory";
  }
  return 0;
}

static const char *obey_here(struct orders *o, const struct control_request *r) {
  switch (r->command) {
    case CONTROL_remove: return remove_here(r->id);
    case CONTROL_release:
      if (r->by == CONTROL_BY_ALL)
        return !orders_release_all(o) ? "out of memory" : orders_save(o) == -1 ? "unable to write " ORDERS_FILE : 0;
      return note_here(o, r);
    case CONTROL_hold:
    case CONTROL_expire: return note_here(o, r);
    case CONTROL_retry:
    case CONTROL_turn:
    case CONTROL_status:
    case CONTROL_message:
    case CONTROL_COMMANDS: return "qmail-send does not run";
  }
  return 0;
}

/* Orders from first on. */
static int give_here(const struct control_request *orders, size_t first, size_t n, order_result_fn fn, void *ctx,
                     struct strerr *e) {
  struct orders o = {0};
  size_t strange;
  int lock = access(QUEUE_SENDMUTEX, F_OK) == -1 ? -1 : lock_file_nb(QUEUE_SENDMUTEX);
  int r;

  if (lock == -1 && errno == EWOULDBLOCK)
    return strerr_set(e, "qmail-send runs, but does not listen at " CONTROL_SOCKET, (char *)0);
  if (lock == -1) return strerr_sys(e, "unable to lock " QUEUE_SENDMUTEX, (char *)0);
  r = orders_load(&o, &strange, e);
  for (size_t i = first; r == 0 && i < n; ++i) r = fn(ctx, i, 1, obey_here(&o, &orders[i]), e);
  orders_free(&o);
  fd_close(lock);
  return r;
}

/* --- by qmail-send --- */

struct call {
  const struct control_request *orders;
  size_t first; /* the number of the first of this call */
  order_result_fn fn;
  void *ctx;
};

static int on_record(void *ctx, size_t i, const struct control_record *record, struct strerr *e) {
  const struct call *c = ctx;
  const struct control_request *r = &c->orders[c->first + i];
  const char *count = control_column(record, "count");
  const char *error = 0;
  uint64_t n = 0;

  if (record->kind != CONTROL_RECORD_ok && record->kind != CONTROL_RECORD_error) return 0;
  if (record->kind == CONTROL_RECORD_error) error = control_column(record, "text");
  else if (!scan_u64(count, strlen(count), &n)) error = "the answer of qmail-send makes no sense";
  if (error && r->command == CONTROL_remove) out_of_trash(r->id);
  return c->fn(c->ctx, c->first + i, n, error, e);
}

/* 1, 0 when nobody listens, -1. */
static int give_some(struct call *c, size_t n, struct strerr *e) {
  stralloc lines = STRALLOC_INIT;
  int r = 1;

  for (size_t i = 0; i < n && r == 1; ++i) {
    const struct control_request *o = &c->orders[c->first + i];

    if (!control_request_format(&lines, o)) r = strerr_sys(e, "unable to ask qmail-send", (char *)0);
    /* A link to what is no message is made by nobody: what is not there cannot be kept. */
    else if (o->command == CONTROL_remove && to_trash(o->id) == -1 && errno != ENOENT)
      r = strerr_sys(e, "unable to keep a message in " QUEUE_TRASH, (char *)0);
  }
  if (r == 1) r = control_ask(&lines, n, on_record, c, e);
  stralloc_free(&lines);
  return r;
}

int order_give(const struct control_request *orders, size_t n, order_result_fn fn, void *ctx, struct strerr *e) {
  struct call c = {orders, 0, fn, ctx};

  while (c.first < n) {
    size_t some = n - c.first < CONTROL_ASK_MAX ? n - c.first : CONTROL_ASK_MAX;
    int r = give_some(&c, some, e);

    if (r == -1) return -1;
    if (r == 0) return give_here(orders, c.first, n, fn, ctx, e);
    c.first += some;
  }
  return 0;
}
