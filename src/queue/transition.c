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

#include <dirent.h>
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

#define ID_TRIES 10000
#define ENVELOPE_FILE_MAX (256u << 20)
#define ENVELOPE_SHORT 4096 /* most are */
#define BOUNCE_MAX (64u << 20)
#define SETTLED 300 /* seconds after which the system has written a file by itself */

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

int queue_create(uint64_t *id) {
  *id = (uint64_t)wall_now_us();
  return create(id, 1);
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

/* The FIFO may be another one by now, that which is open may have lost its reader. */
void queue_announce_all(int *trigger, const stralloc *lines) {
  if (lines->len && !pull_trigger(trigger, lines->s, lines->len)) pull_trigger(trigger, lines->s, lines->len);
}

static int verdict_errno(enum envelope_verdict verdict) {
  switch (verdict) {
    case ENVELOPE_OK: return 1;
    case ENVELOPE_INCOMPLETE: return 0;
    case ENVELOPE_BAD: errno = EPROTO; return -1;
    case ENVELOPE_NOMEM: errno = ENOMEM; return -1;
  }
  return -1;
}

static int read_info_link(const char *path, struct envelope *env) {
  char text[ENVELOPE_LINK_MAX + 1];
  ssize_t n = readlink(path, text, sizeof text);

  if (n == -1) return errno == ENOENT ? 0 : -1;
  return verdict_errno((size_t)n < sizeof text ? envelope_link_parse(env, text, (size_t)n) : ENVELOPE_BAD);
}

static int read_info_file(int fd, struct envelope *env) {
  char text[ENVELOPE_SHORT];
  stralloc bytes = STRALLOC_INIT;
  ssize_t n = read(fd, text, sizeof text);
  int r;

  if (n == -1) return -1;
  if ((size_t)n < sizeof text) return verdict_errno(envelope_parse(env, text, (size_t)n)); /* all of it */
  r = stralloc_copyb(&bytes, text, (size_t)n) ? fd_slurp(fd, &bytes, ENVELOPE_FILE_MAX) : -1;
  if (r == 0) r = verdict_errno(envelope_parse(env, bytes.s, bytes.len));
  stralloc_free(&bytes);
  return r;
}

static int read_info(uint64_t id, struct envelope *env) {
  char path[QUEUE_PATH];
  int fd, r;

  queuepath(path, QUEUE_info, id);
  fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd == -1) return errno == ELOOP ? read_info_link(path, env) : errno == ENOENT ? 0 : -1;
  r = read_info_file(fd, env);
  fd_close(fd);
  return r;
}

/* Was it tried when the system had long written its bytes, accepted or not?  Then no power
 * loss since can have torn it. */
static int was_settled(uint64_t id, const struct envelope *env) {
  char path[QUEUE_PATH];
  struct stat st;

  queuepath(path, QUEUE_done, id);
  return stat(path, &st) == 0 && st.st_mtim.tv_sec >= SETTLED && (uint64_t)st.st_mtim.tv_sec - SETTLED >= env->birth;
}

/* Are these the message's bytes, all of them?  1, 0, or -1 with errno. */
static int is_whole(int fd, const struct envelope *env) {
  char buf[65536];
  uint64_t size = 0;
  uint32_t sum = 0;
  ssize_t n;

  if (flock(fd, LOCK_SH | LOCK_NB) == -1) return errno == EWOULDBLOCK ? 0 : -1; /* on its way in */
  while ((n = read(fd, buf, sizeof buf)) != 0) {
    if (n == -1 && errno == EINTR) continue;
    if (n == -1) return -1;
    size += (uint64_t)n;
    sum = crc32(sum, buf, (size_t)n);
  }
  return size == env->size && sum == env->checksum;
}

static int is_there(uint64_t id, enum queue_file file) {
  char path[QUEUE_PATH];
  struct stat st;

  queuepath(path, file, id);
  return lstat(path, &st) == 0 ? 1 : errno == ENOENT ? 0 : -1;
}

/* + there, - not, ~ not what its envelope says, or on its way in; 0 with errno. */
static char look_at_mess(uint64_t id, const struct envelope *env) {
  char path[QUEUE_PATH];
  int fd, r;

  queuepath(path, QUEUE_mess, id);
  fd = fd_open_read(path);
  if (fd == -1) return errno == ENOENT ? '-' : 0;
  r = env ? is_whole(fd, env) : 1;
  fd_close(fd);
  return r == -1 ? 0 : r ? '+' : '~';
}

static char look_at_info(uint64_t id, struct envelope *env) {
  int r = read_info(id, env);

  if (r == 1) return '+';
  if (r == -1) return 0;
  r = is_there(id, QUEUE_info);
  if (r == 0) r = queue_importing(id) == 1 ? 2 : 0;
  return r == -1 ? 0 : "-~."[r];
}

int queue_find(uint64_t id, struct queue_found *found) {
  char *f = found->file;

  found->row = 0;
  f[QUEUE_info] = look_at_info(id, &found->env);
  f[QUEUE_mess] = f[QUEUE_info] ? look_at_mess(id, f[QUEUE_info] == '+' ? &found->env : 0) : 0;
  if (!f[QUEUE_mess]) return -1;
  for (int i = 0; i < QUEUE_FILES; ++i) {
    int there;

    if (i == QUEUE_info || i == QUEUE_mess) continue;
    there = is_there(id, (enum queue_file)i);
    if (there == -1) return -1;
    f[i] = there ? '+' : '-';
  }
  found->row = queue_state(f);
  if (found->row) return 0;
  errno = EPROTO;
  return -1;
}

void queue_found_free(struct queue_found *found) {
  envelope_free(&found->env);
}

/* What was announced, or tried when it had been there for a while, is in a state that delivers: only
 * whether it is gone meanwhile is to be seen.  Of others the table says. */
int queue_load(uint64_t id, struct envelope *env, enum queue_trust trust) {
  struct queue_found found = {.row = 0};
  char path[QUEUE_PATH];
  int r;

  if (trust != QUEUE_FOUND) {
    r = read_info(id, env);
    if (r != 1 || (trust == QUEUE_TRIED && was_settled(id, env))) return r;
    queuepath(path, QUEUE_mess, id);
    if (trust == QUEUE_ANNOUNCED) return access(path, F_OK) == 0 ? 1 : errno == ENOENT ? 0 : -1;
  }
  found.env = *env;
  r = queue_find(id, &found) == -1 ? -1 : found.row->recovery == QUEUE_DELIVER;
  *env = found.env;
  return r;
}

enum queue_sight queue_looks(uint64_t id, const struct envelope *env) {
  struct envelope found = {0};
  char path[QUEUE_PATH];
  int there = is_there(id, QUEUE_info);
  int whole, fd;

  if (there != 1) return there == 0 ? QUEUE_GONE : QUEUE_UNKNOWN;
  whole = read_info(id, &found);
  envelope_free(&found);
  if (whole == -1 && errno != EPROTO) return QUEUE_UNKNOWN;
  if (whole != 1) return QUEUE_TORN;
  queuepath(path, QUEUE_mess, id);
  fd = fd_open_read(path);
  if (fd == -1) return errno == ENOENT ? QUEUE_TORN : QUEUE_UNKNOWN;
  whole = is_whole(fd, env);
  fd_close(fd);
  return whole == 1 ? QUEUE_WHOLE : whole == 0 ? QUEUE_TORN : QUEUE_UNKNOWN;
}

/* One that is there keeps its name all the time. */
static int restore_info(uint64_t id, const struct envelope *env) {
  struct envelope found = {0};
  stralloc bytes = STRALLOC_INIT;
  char path[QUEUE_PATH];
  int whole = read_info(id, &found);
  int code, fd, r;

  envelope_free(&found);
  if (whole == 1) return 0;
  queuepath(path, QUEUE_info, id);
  r = is_there(id, QUEUE_info);
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
  return file_read(path, marks, ENVELOPE_FILE_MAX) == -1 ? -1 : 0;
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

int queue_bounce_read(uint64_t id, stralloc *text) {
  char path[QUEUE_PATH];
  int r;

  queuepath(path, QUEUE_bounce, id);
  r = file_read(path, text, BOUNCE_MAX);
  return r == 1 && !text->len ? 0 : r; /* a crash left the name alone */
}

int queue_bounce_remove(uint64_t id) {
  return remove_file(QUEUE_bounce, id);
}

int queue_remove_marks(uint64_t id) {
  if (remove_file(QUEUE_bounce, id) == -1) return -1;
  return remove_file(QUEUE_done, id);
}

static int walk_dir(const char *path, queue_walk_fn fn, void *ctx) {
  DIR *dir = opendir(path);
  struct dirent *d;
  int r = 0;

  if (!dir) return -1;
  while (r == 0 && (errno = 0, d = readdir(dir)) != 0) {
    uint64_t id;

    if (queuepath_id(d->d_name, strlen(d->d_name), &id)) r = fn(ctx, id);
  }
  if (r == 0 && errno) r = -1;
  closedir(dir);
  return r;
}

int queue_walk(enum queue_file file, queue_walk_fn fn, void *ctx) {
  char dir[QUEUE_PATH];
  int r = 0;

  if (!queue_files[file].split) return walk_dir(queue_files[file].name, fn, ctx);
  for (uint64_t i = 0; i < QUEUE_SPLIT && r == 0; ++i) {
    queuepath_dir(dir, file, i);
    r = walk_dir(dir, fn, ctx);
  }
  return r;
}

uint64_t queue_changed(enum queue_file file) {
  char dir[QUEUE_PATH];
  uint64_t sum = 0;

  for (uint64_t i = 0; i < QUEUE_SPLIT; ++i) {
    struct stat st;

    queuepath_dir(dir, file, i);
    if (stat(dir, &st) == 0) sum += (uint64_t)st.st_mtim.tv_sec * NS_PER_S + (uint64_t)st.st_mtim.tv_nsec;
  }
  return sum;
}

/* --- messages from another queue --- */

/* The envelope has this name, which is no id, until the message is ours. */
static void import_path(char path[QUEUE_PATH + sizeof QUEUE_IMPORT], uint64_t id) {
  size_t n = queuepath(path, QUEUE_info, id);

  memcpy(path + n, QUEUE_IMPORT, sizeof QUEUE_IMPORT);
}

/* 1, 0 or -1. */
static int there(const char *path) {
  struct stat st;

  return lstat(path, &st) == 0 ? 1 : errno == ENOENT ? 0 : -1;
}

int queue_importing(uint64_t id) {
  char path[QUEUE_PATH + sizeof QUEUE_IMPORT];

  import_path(path, id);
  return there(path);
}

/* A mess alone that nobody is writing is left from an import that was cut short. */
int queue_id_taken(uint64_t id) {
  char path[QUEUE_PATH];
  int fd;
  int r;

  queuepath(path, QUEUE_info, id);
  r = there(path);
  if (r != 0) return r;
  queuepath(path, QUEUE_mess, id);
  fd = fd_open_read(path);
  if (fd == -1) return errno == ENOENT ? 0 : -1;
  r = lock_exnb(fd) == 0 ? 0 : errno == EWOULDBLOCK ? 1 : -1;
  fd_close(fd);
  return r;
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

  import_path(path, id);
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

  import_path(from, id);
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
 * damaged envelope, is left for queue-fix to show. */
static int sweep_one(void *ctx, uint64_t id) {
  struct sweep *s = ctx;
  struct queue_found found = {.row = 0};
  char path[QUEUE_PATH];
  struct stat st;

  queuepath(path, s->file, id);
  if (lstat(path, &st) == -1 || st.st_mtim.tv_sec >= s->before) return 0;
  if (queue_find(id, &found) == 0 && found.row->recovery == QUEUE_SWEEP && unlink(path) == 0) s->removed++;
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
  if (is_there(id, QUEUE_info) == 0 && queue_find(id, &found) == 0 && found.row->recovery == QUEUE_SWEEP && unlink(path) == 0) s->removed++;
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
