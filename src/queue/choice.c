/* choice: see choice.h. */
#include "queue/choice.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "queue/queuepath.h"
#include "queue/waiting.h"

#define ANNOUNCEMENT 17  /* bytes of a line in the trigger */
#define FULL (256 * 1024) /* so little room is none */

static int has_room(const char *dir, uint64_t min_free) {
  struct statvfs fs;
  uint64_t wanted = min_free > FULL ? min_free : FULL;

  if (statvfs(dir, &fs) == -1) return errno == EACCES;
  return (uint64_t)fs.f_bavail * fs.f_frsize >= wanted && (!fs.f_files || fs.f_favail);
}

/* todo-proc holds the trigger open as long as the queue's daemons run: without a reader it
 * cannot be opened for writing. */
static int is_running(const stralloc *dir, struct choice *c, stralloc *path) {
  int bytes = 0;
  int fd;

  if (!stralloc_copy(path, dir) || !stralloc_catlit(path, "/" QUEUE_TRIGGER)) return 0;
  fd = open(path->s, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd == -1) return c->blind = errno == EACCES;
  if (ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0) c->waiting += (uint64_t)bytes / ANNOUNCEMENT;
  fd_close(fd);
  return 1;
}

static void count_waiting(const stralloc *dir, struct choice *c, stralloc *path) {
  char buf[32];
  uint64_t n;
  ssize_t r;
  int fd;

  if (!stralloc_copy(path, dir) || !stralloc_catlit(path, "/" QUEUE_WAITING)) return;
  fd = fd_open_read(path->s);
  r = fd == -1 ? 0 : read(fd, buf, sizeof buf);
  if (r > 0 && waiting_parse(buf, (uint64_t)r, &n)) c->waiting += n;
  fd_close(fd);
}

void choice_look(const char *dir, uint64_t min_free, struct choice *c) {
  stralloc path = STRALLOC_INIT;
  stralloc base = STRALLOC_INIT;

  memset(c, 0, sizeof *c);
  c->room = has_room(dir, min_free);
  if (stralloc_copys(&base, dir)) c->running = is_running(&base, c, &path);
  if (c->running && !c->blind) count_waiting(&base, c, &path);
  stralloc_free(&path);
  stralloc_free(&base);
}

int choice_better(const struct choice *a, const struct choice *b) {
  if (a->room != b->room) return a->room;
  if (a->running != b->running) return a->running;
  return a->waiting < b->waiting;
}

/* Looks at queue i; it is taken if it is better than what dir holds, or dir is empty. */
static int consider(const struct collection *c, uint64_t i, uint64_t min_free, struct choice *best, stralloc *dir) {
  stralloc other = STRALLOC_INIT;
  struct choice seen;
  int ok = collection_queue(c, i % c->count, &other);

  if (ok) choice_look(other.s, min_free, &seen);
  if (ok && (!dir->len || choice_better(&seen, best))) {
    *best = seen;
    ok = stralloc_copy(dir, &other);
  }
  stralloc_free(&other);
  return ok;
}

int choice_queue(const struct collection *c, const struct conf *conf, uint64_t pick, stralloc *dir, int *blind) {
  uint64_t min_free = conf_number(conf, SET_min_free);
  uint64_t first = pick % c->count;
  struct choice best = {.room = 1, .running = 1};
  int ok = 1;

  *blind = 0;
  if (*conf_line(conf, SET_queuedir)) return stralloc_copys(dir, conf_line(conf, SET_queuedir));
  if (c->count == 1) return collection_queue(c, 0, dir);
  stralloc_cut(dir, 0);
  if (!consider(c, first, min_free, &best, dir) ||
      !consider(c, first + 1 + pick / c->count % (c->count - 1), min_free, &best, dir))
    return 0;
  for (uint64_t i = 1; ok && i < c->count && !(best.room && best.running); ++i) ok = consider(c, first + i, min_free, &best, dir);
  *blind = best.blind;
  return ok;
}
