/* queued: see queued.h. */
#include "queue/queued.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/iodeadline.h"
#include "base/substdio.h"
#include "queue/accept.h"
#include "queue/collection.h"
#include "queue/exitcodes.h"
#include "queue/queued_proto.h"

#define REQUEST_SECONDS 10 /* a request is in memory on the other side: it comes at once */

struct server {
  const struct conf *conf;
  struct collection collection;
  stralloc dir, bytes, answer, line;
  uint64_t next; /* turn of the queues */
};

/* A queue the client names must be one of the collection. */
static int enter_queue(struct server *s, const char *dir, size_t n) {
  const stralloc *base = &s->collection.base;

  if (!n) {
    if (!collection_choose(&s->collection, s->conf, s->next++, &s->dir)) return QQ_memory;
  } else {
    if (!stralloc_copyb(&s->dir, dir, n)) return QQ_memory;
    if (n <= base->len || memcmp(dir, base->s, base->len) || dir[base->len] != '/' ||
        !file_name_ok(dir + base->len + 1, n - base->len - 1))
      return QQ_chdir;
  }
  return chdir(s->dir.s) == -1 ? QQ_chdir : QQ_queued;
}

static int enough_room(const struct server *s, uint64_t wanted) {
  uint64_t own = conf_number(s->conf, SET_min_free);
  uint64_t min_free = wanted > own ? wanted : own;
  struct statvfs fs;

  if (!min_free) return 1;
  return statvfs(".", &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize >= min_free;
}

static int peer_uid(int fd, uint64_t *uid) {
  struct ucred who;
  socklen_t n = sizeof who;

  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == -1) return 0;
  *uid = who.uid;
  return 1;
}

/* Exactly n more bytes into s->bytes. */
static int read_bytes(struct server *s, substdio *in, size_t n) {
  if (!stralloc_ready(&s->bytes, n)) return 0;
  s->bytes.len = 0;
  while (s->bytes.len < n) {
    ssize_t r = substdio_get(in, s->bytes.s + s->bytes.len, n - s->bytes.len);

    if (r <= 0) return 0;
    s->bytes.len += (size_t)r;
  }
  s->bytes.s[n] = 0;
  return 1;
}

/* The request, and what becomes of it. */
static int take(struct server *s, int fd, substdio *in, uint64_t *id) {
  struct accept_origin o = {0};
  struct queued_head h;
  const char *message;
  int match;
  int code;

  stralloc_cut(&s->line, 0);
  if (getln(in, &s->line, &match, '\n', QUEUED_HEAD_MAX) == -1 || !match) return QQ_read;
  if (!queued_head_parse(s->line.s, s->line.len - 1, &h) || !peer_uid(fd, &o.uid)) return QQ_envelope;
  if (!read_bytes(s, in, h.dir + h.message + h.envelope)) return QQ_read;
  message = s->bytes.s + h.dir;
  code = enter_queue(s, s->bytes.s, h.dir);
  if (code != QQ_queued) return code;
  if (!enough_room(s, h.min_free)) return QQ_write;
  if (!h.hide && !conf_flag(s->conf, SET_hide_host)) o.host = conf_line(s->conf, SET_me);
  return accept_from_memory(&o, message, h.message, message + h.message, h.envelope, id);
}

static void serve_one(struct server *s, int fd) {
  struct iodeadline io = {fd, deadline_in(REQUEST_SECONDS), DEADLINE_NEVER};
  char buf[16384];
  substdio in;
  uint64_t id = 0;
  int code;

  substdio_init(&in, iodeadline_read, &io, buf, sizeof buf);
  code = take(s, fd, &in, &id);
  stralloc_cut(&s->answer, 0);
  if (queued_answer_format(&s->answer, code, id)) (void)!send(fd, s->answer.s, s->answer.len, MSG_NOSIGNAL);
}

int queued_serve(int listener, const struct conf *conf, struct strerr *e) {
  struct server s = {.conf = conf, .next = (uint64_t)getpid()};

  if (collection_load(&s.collection, conf, e) == -1) return -1;
  for (;;) {
    int fd = accept4(listener, 0, 0, SOCK_CLOEXEC);

    if (fd == -1) {
      if (errno == EINTR || errno == ECONNABORTED || errno == EAGAIN) continue;
      return strerr_sys(e, "unable to accept connections", (char *)0);
    }
    serve_one(&s, fd);
    fd_close(fd);
  }
}
