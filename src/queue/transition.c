/* transition: see transition.h.
 *
 * Why queue_commit is safe: acceptance is reported only after message, envelope and
 * both names are on disk, in whatever order they get there.  Until then a crash may
 * leave any part of them: a torn envelope is known by its own checksum, a torn message
 * by the envelope's checksum of it, and an envelope or a message alone by itself; all
 * of these are swept, none is delivered.  The order chosen lets one journal commit of
 * the file system cover everything: a short envelope is a symbolic link, whose text is
 * metadata like the directory entries, and the sync of the message comes after it. */
#include "queue/transition.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/fmt.h"
#include "base/lock.h"
#include "base/now.h"
#include "queue/crc32.h"
#include "queue/exitcodes.h"
#include "queue/found.h"

#define ID_TRIES 10000
#define TURN_US UINT64_C(60000000) /* of a split directory */
#define MARKS_MAX (256u << 20)
#define BOUNCE_MAX (16u << 20) /* who gets that much reads it no more */

/* The first free id from *id on. */
static int create(uint64_t *id, uint64_t step) {
  char path[QUEUE_PATH];

  for (int i = 0; i < ID_TRIES; ++i, *id += step) {
    int fd;

    queuepath(path, QUEUE_mess, *id);
    do fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, queue_files[QUEUE_mess].filemode);
    while (fd == -1 && errno == EINTR);
    if (fd != -1) return lock_exnb(fd) == 0 ? fd : fd_close(fd);
    if (errno != EEXIST) return -1;
  }
  errno = EEXIST;
  return -1;
}

/* For a minute all lie in the same split directory: what a file system with a journal commits together are whole blocks
 * of directories, of which a long queue has very many. */
int queue_create(uint64_t *id) {
  const uint64_t now = (uint64_t)wall_now_us(), split = now / TURN_US % QUEUE_SPLIT;

  *id = now + (split + QUEUE_SPLIT - now % QUEUE_SPLIT) % QUEUE_SPLIT;
  return create(id, QUEUE_SPLIT);
}

int queue_create_beside(uint64_t *id) {
  *id += QUEUE_SPLIT;
  return create(id, QUEUE_SPLIT);
}

static int fail(int *code, int why) {
  *code = why;
  return -1;
}

/* The envelope as a file. */
static int write_info_file(const char *path, const struct envelope *env, int *code) {
  stralloc bytes = STRALLOC_INIT;
  int fd = -1;
  int r;

  if (!envelope_format(env, &bytes)) r = fail(code, QQ_memory);
  else if ((fd = fd_open_excl(path, queue_files[QUEUE_info].filemode)) == -1) r = fail(code, QQ_info_file);
  else if (fd_write_all(fd, bytes.s, bytes.len) == -1) r = fail(code, QQ_write);
  else r = 0;
  if (fd != -1 && close(fd) == -1 && r == 0) r = fail(code, QQ_write);
  stralloc_free(&bytes);
  return r;
}

/* As a link where it fits, for that is made safe together with the name. */
static int write_info(const char *path, const struct envelope *env, int *code) {
  stralloc text = STRALLOC_INIT;
  int fits;
  int r;

  if (!envelope_link_format(env, &text, &fits)) r = fail(code, QQ_memory);
  else if (fits && symlink(text.s, path) == 0) r = 0;
  else if (fits && (errno == ENOSPC || errno == EDQUOT)) r = fail(code, QQ_write);
  else r = write_info_file(path, env, code); /* also where there are no links */
  stralloc_free(&text);
  return r;
}

/* An envelope that is a file: 0, or -1.  A link is all metadata. */
static int sync_info_file(const char *path) {
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  int r;

  if (fd == -1) return errno == ELOOP ? 0 : -1;
  r = fsync(fd);
  fd_close(fd);
  return r;
}

static int sync_info(uint64_t id) {
  char path[QUEUE_PATH];

  queuepath(path, QUEUE_info, id);
  return sync_info_file(path);
}

int queue_sync_names(uint64_t split) {
  char dir[QUEUE_PATH];

  queuepath_dir(dir, QUEUE_mess, split);
  if (fd_syncdir(dir) == -1) return -1;
  queuepath_dir(dir, QUEUE_info, split);
  return fd_syncdir(dir);
}

/* Of an ext4 without a journal the disk's cache is written before the last of it is in there: a sync of a directory,
 * which ends with the cache, comes after. */
int queue_sync_all(int root) {
  return syncfs(root) == -1 ? -1 : fsync(root);
}

int queue_sync(uint64_t id, int messfd, int *code) {
  if (sync_info(id) == -1 || fsync(messfd) == -1) return fail(code, QQ_fsync);
  return queue_sync_names(id) == -1 ? fail(code, QQ_syncdir) : 0;
}

/* A file costs the file system less than a link as long as nothing of it is synced: it gets no
 * block before it has to be written, and most are gone by then. */
int queue_place(uint64_t id, const struct envelope *env, int *code) {
  char path[QUEUE_PATH];

  queuepath(path, QUEUE_info, id);
  return write_info_file(path, env, code);
}

int queue_commit(uint64_t id, int messfd, const struct envelope *env, int *code) {
  char path[QUEUE_PATH];

  queuepath(path, QUEUE_info, id);
  return write_info(path, env, code) == -1 ? -1 : queue_sync(id, messfd, code);
}

int queue_sync_message(uint64_t id) {
  char path[QUEUE_PATH];
  int fd;
  int r;

  if (sync_info(id) == -1) return errno == ENOENT ? 0 : -1;
  queuepath(path, QUEUE_mess, id);
  fd = fd_open_read(path);
  if (fd == -1) return errno == ENOENT ? 0 : -1;
  r = fsync(fd);
  fd_close(fd);
  return r == 0 ? 1 : -1;
}

static int remove_file(enum queue_file file, uint64_t id) {
  char path[QUEUE_PATH];

  queuepath(path, file, id);
  return unlink(path) == -1 && errno != ENOENT ? -1 : 0;
}

/* Its writer has it open and locked: 1, 0, or -1 with errno.  Who looks at it as we do is not in the way, nor we in his. */
static int is_on_its_way(uint64_t id) {
  char path[QUEUE_PATH];
  int fd, r;

  queuepath(path, QUEUE_mess, id);
  fd = fd_open_read(path);
  if (fd == -1) return errno == ENOENT ? 0 : -1;
  r = lock_shnb(fd) == 0 ? 0 : errno == EWOULDBLOCK ? 1 : -1;
  fd_close(fd);
  return r;
}

int queue_remove(uint64_t id) {
  if (remove_file(QUEUE_info, id) == -1) return -1;
  return remove_file(QUEUE_mess, id);
}

int queue_sync_removal(uint64_t id) {
  char dir[QUEUE_PATH];

  queuepath_dir(dir, QUEUE_info, id);
  return fd_syncdir(dir);
}

void queue_abandon(uint64_t id) {
  int saved = errno;

  (void)!queue_remove(id);
  errno = saved;
}

/* 1 announced, or there is no room for it: todo-proc will look for itself. */
static int pull_trigger(int *fd, const char *lines, size_t n) {
  if (*fd == -1) *fd = fd_open_write_nonblock(QUEUE_TRIGGER);
  if (*fd == -1 || write(*fd, lines, n) >= 0 || errno == EAGAIN) return 1;
  *fd = fd_close(*fd);
  return 0;
}

void queue_announce(uint64_t id) {
  char line[FMT_U64 + 1];
  size_t n = fmt_u64(line, id);
  int fd = -1;

  line[n++] = '\n';
  pull_trigger(&fd, line, n);
  fd_close(fd);
}

/* A line that is no id says that some were lost. */
void queue_announce_unknown(const char *dir) {
  stralloc path = STRALLOC_INIT;
  int fd = stralloc_catm(&path, dir, "/" QUEUE_TRIGGER, (char *)0) ? fd_open_write_nonblock(path.s) : -1;

  if (fd != -1) (void)!write(fd, "\n", 1);
  fd_close(fd);
  stralloc_free(&path);
}

/* The FIFO may be another one by now, that which is open may have lost its reader. */
void queue_announce_all(int *trigger, const stralloc *lines) {
  if (lines->len && !pull_trigger(trigger, lines->s, lines->len)) pull_trigger(trigger, lines->s, lines->len);
}

/* One that is there keeps its name all the time. */
static int restore_info(uint64_t id, const struct envelope *env) {
  struct envelope found = {0};
  stralloc bytes = STRALLOC_INIT;
  char path[QUEUE_PATH];
  int whole = queue_read_info(id, &found);
  int code, fd, r;

  envelope_free(&found);
  if (whole == 1) return 0;
  queuepath(path, QUEUE_info, id);
  r = queue_has(id, QUEUE_info);
  if (r == 0) return write_info(path, env, &code);
  if (r == -1 || !envelope_format(env, &bytes)) return -1;
  fd = fd_open_trunc(path, queue_files[QUEUE_info].filemode);
  r = fd == -1 ? -1 : fd_write_all(fd, bytes.s, bytes.len);
  fd_close(fd);
  stralloc_free(&bytes);
  return r;
}

/* Written in place: a removal, cut short by the next power loss, would look like the end of
 * a message that was finished. */
int queue_restore(uint64_t id, const struct envelope *env, const char *message, size_t n) {
  char path[QUEUE_PATH];
  int code, fd, r;

  queuepath(path, QUEUE_mess, id);
  fd = fd_open_trunc(path, queue_files[QUEUE_mess].filemode);
  if (fd == -1) return -1;
  r = fd_write_all(fd, message, n);
  if (r == 0) r = restore_info(id, env);
  if (r == 0) r = queue_sync(id, fd, &code);
  fd_close(fd);
  return r;
}

/* The same bytes over those that are there, which may be missing on disk: 0, or -1. */
static int write_over(enum queue_file file, uint64_t id, const char *s, size_t n) {
  char path[QUEUE_PATH];
  int fd, r;

  queuepath(path, file, id);
  fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd == -1) return errno == ELOOP || errno == ENOENT ? 0 : -1;
  r = fd_write_all(fd, s, n);
  fd_close(fd);
  return r;
}

int queue_rewrite(uint64_t id, const char *envelope, size_t envelope_n, const char *message, size_t n) {
  if (write_over(QUEUE_info, id, envelope, envelope_n) == -1 || write_over(QUEUE_mess, id, message, n) == -1) return -1;
  return queue_sync_message(id);
}

static int open_marks(uint64_t id) {
  char path[QUEUE_PATH];

  queuepath(path, QUEUE_done, id);
  return open(path, O_RDWR | O_CREAT | O_CLOEXEC, queue_files[QUEUE_done].filemode);
}

/* Those of the marks that lie within one window: how many, or 0 on failure. */
static size_t mark_window(int fd, const uint32_t *index, size_t n) {
  char window[4096] = "";
  size_t i = 0;
  size_t len = 0;
  ssize_t r;

  do r = n > 1 ? pread(fd, window, sizeof window, index[0]) : 0;
  while (r == -1 && errno == EINTR);
  if (r == -1) return 0;
  for (; i < n && index[i] - index[0] < sizeof window; ++i) {
    len = index[i] - index[0];
    window[len++] = 'D';
  }
  do r = pwrite(fd, window, len, index[0]);
  while (r == -1 && errno == EINTR);
  return r == (ssize_t)len ? i : 0;
}

int queue_sync_marks(uint64_t id) {
  char path[QUEUE_PATH];
  char dir[QUEUE_PATH];
  int fd;
  int r;

  queuepath(path, QUEUE_done, id);
  fd = fd_open_read(path);
  if (fd == -1) return errno == ENOENT ? 0 : -1; /* finished meanwhile */
  r = fsync(fd);
  fd_close(fd);
  queuepath_dir(dir, QUEUE_done, id);
  return r == 0 ? fd_syncdir(dir) : -1;
}

int queue_mark_done(uint64_t id, const uint32_t *index, size_t n) {
  int fd = open_marks(id);
  int r = fd == -1 || n ? 0 : futimens(fd, 0); /* writing changes the time of itself */

  if (fd == -1) return -1;
  for (size_t done = 0; r == 0 && done < n;) {
    size_t some = mark_window(fd, index + done, n - done);

    if (!some) r = -1;
    done += some;
  }
  fd_close(fd);
  return r;
}

int queue_marks(uint64_t id, stralloc *marks, int64_t *tried) {
  char path[QUEUE_PATH];
  struct stat st;

  queuepath(path, QUEUE_done, id);
  stralloc_cut(marks, 0);
  *tried = 0;
  if (stat(path, &st) == -1) return errno == ENOENT ? 0 : -1;
  *tried = st.st_mtim.tv_sec;
  if (!st.st_size) return 0;
  return file_read(path, marks, MARKS_MAX) == -1 ? -1 : 0;
}

int queue_bounce_append(uint64_t id, const char *s, size_t n) {
  char path[QUEUE_PATH];
  int fd;
  int r;

  queuepath(path, QUEUE_bounce, id);
  fd = fd_open_append(path, queue_files[QUEUE_bounce].filemode);
  if (fd == -1) return -1;
  r = fd_write_all(fd, s, n);
  if (r == 0) r = fsync(fd);
  fd_close(fd);
  return r == 0 ? fd_syncdir(queue_files[QUEUE_bounce].name) : -1;
}

int queue_bounce_read(uint64_t id, stralloc *text, int *cut) {
  char path[QUEUE_PATH];
  size_t end = BOUNCE_MAX;
  int fd, r;

  queuepath(path, QUEUE_bounce, id);
  stralloc_cut(text, 0);
  fd = fd_open_read(path);
  if (fd == -1) return errno == ENOENT ? 0 : -1;
  r = fd_slurp(fd, text, BOUNCE_MAX);
  fd_close(fd);
  *cut = r == -1 && errno == EFBIG;
  if (!*cut) return r == -1 ? -1 : text->len != 0; /* a crash left the name alone */
  while (end > 2 && (text->s[end - 1] != '\n' || text->s[end - 2] != '\n')) --end;
  stralloc_cut(text, end > 2 ? end : BOUNCE_MAX);
  return 1;
}

int queue_bounce_remove(uint64_t id) {
  return remove_file(QUEUE_bounce, id);
}

int queue_remove_marks(uint64_t id) {
  if (remove_file(QUEUE_bounce, id) == -1) return -1;
  return remove_file(QUEUE_done, id);
}

/* --- messages from another queue --- */

/* A mess alone that nobody is writing is left from an import that was cut short. */
int queue_id_taken(uint64_t id) {
  int r = queue_has(id, QUEUE_info);

  return r != 0 ? r : is_on_its_way(id);
}

/* A file of a message with these bytes, or with what fd holds, which sum and size describe then. */
static int import_file(enum queue_file file, uint64_t id, const stralloc *bytes, int from, struct envelope *env,
                       const struct queue_owner *o) {
  char path[QUEUE_PATH];
  char buf[65536];
  ssize_t n = 0;
  int fd;
  int r;

  queuepath(path, file, id);
  fd = fd_open_trunc(path, queue_files[file].filemode);
  if (fd == -1) return -1;
  r = fchown(fd, o->uid, o->gid);
  if (r == 0 && bytes) r = fd_write_all(fd, bytes->s, bytes->len);
  while (r == 0 && !bytes && (n = read(from, buf, sizeof buf)) > 0) {
    r = fd_write_all(fd, buf, (size_t)n);
    env->size += (uint64_t)n;
    env->checksum = crc32((uint32_t)env->checksum, buf, (size_t)n);
  }
  if (n == -1 || (r == 0 && fsync(fd) == -1)) r = -1;
  if (r == 0 && file == QUEUE_done) r = futimens(fd, (const struct timespec[2]){{0, 0}, {0, 0}}); /* no attempt of ours */
  fd_close(fd);
  queuepath_dir(path, file, id);
  return r == 0 ? fd_syncdir(path) : -1;
}

int queue_import(uint64_t id, int messfd, struct envelope *env, const stralloc *marks, const stralloc *bounce,
                 const struct queue_owner owner[QUEUE_FILES]) {
  char path[QUEUE_PATH + sizeof QUEUE_IMPORT];
  char dir[QUEUE_PATH];
  int code;

  queuepath_importing(path, id);
  if (unlink(path) == -1 && errno != ENOENT) return -1;
  env->size = env->checksum = 0;
  if (remove_file(QUEUE_done, id) == -1 || remove_file(QUEUE_bounce, id) == -1) return -1;
  if (import_file(QUEUE_mess, id, 0, messfd, env, &owner[QUEUE_mess]) == -1) return -1;
  if (marks->len && import_file(QUEUE_done, id, marks, -1, env, &owner[QUEUE_done]) == -1) return -1;
  if (bounce->len && import_file(QUEUE_bounce, id, bounce, -1, env, &owner[QUEUE_bounce]) == -1) return -1;
  if (write_info(path, env, &code) == -1 || lchown(path, owner[QUEUE_info].uid, owner[QUEUE_info].gid) == -1) return -1;
  if (sync_info_file(path) == -1) return -1;
  queuepath_dir(dir, QUEUE_info, id);
  return fd_syncdir(dir);
}

int queue_import_publish(uint64_t id) {
  char from[QUEUE_PATH + sizeof QUEUE_IMPORT];
  char to[QUEUE_PATH];

  queuepath_importing(from, id);
  queuepath(to, QUEUE_info, id);
  if (rename(from, to) == -1) return -1;
  queuepath_dir(to, QUEUE_info, id);
  return fd_syncdir(to);
}

struct sweep {
  enum queue_file file;
  int64_t before;
  long removed;
};

/* Removes an old file whose message is in a SWEEP state.  What is in none of the table's, as one with a
 * damaged envelope, is left for queue-fix to show; and what is locked may be new, whatever the clock says. */
static int sweep_one(void *ctx, uint64_t id) {
  struct sweep *s = ctx;
  struct queue_found found = {.row = 0};
  char path[QUEUE_PATH];
  struct stat st;

  queuepath(path, s->file, id);
  if (lstat(path, &st) == -1 || st.st_mtim.tv_sec >= s->before) return 0;
  if (queue_find(id, &found) == 0 && found.row->recovery == QUEUE_SWEEP && is_on_its_way(id) == 0 && unlink(path) == 0)
    s->removed++;
  queue_found_free(&found);
  return 0;
}

long queue_sweep(int64_t now, int64_t age) {
  struct sweep s = {.before = now - age};

  s.file = QUEUE_info;
  (void)!queue_walk(s.file, sweep_one, &s);
  s.file = QUEUE_mess;
  (void)!queue_walk(s.file, sweep_one, &s);
  return s.removed;
}

/* The message is gone when its envelope is: that is removed first.  Where one is there still, qmail-clean
 * removes it first. */
static int sweep_mark(void *ctx, uint64_t id) {
  struct sweep *s = ctx;
  struct queue_found found = {.row = 0};
  char path[QUEUE_PATH];

  queuepath(path, s->file, id);
  if (queue_has(id, QUEUE_info) == 0 && queue_find(id, &found) == 0 && found.row->recovery == QUEUE_SWEEP && unlink(path) == 0) s->removed++;
  queue_found_free(&found);
  return 0;
}

long queue_sweep_marks(void) {
  struct sweep s = {.file = QUEUE_done};

  (void)!queue_walk(s.file, sweep_mark, &s);
  s.file = QUEUE_bounce;
  (void)!queue_walk(s.file, sweep_mark, &s);
  return s.removed;
}
