/* found: see found.h. */
#include "queue/found.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/now.h"
#include "queue/crc32.h"

#define ENVELOPE_FILE_MAX (256u << 20)
#define ENVELOPE_SHORT 4096 /* most are */
#define SETTLED 300 /* seconds after which the system has written a file by itself */

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

int queue_read_info(uint64_t id, struct envelope *env) {
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

  if (lock_shnb(fd) == -1) return errno == EWOULDBLOCK ? 0 : -1; /* on its way in */
  while ((n = read(fd, buf, sizeof buf)) != 0) {
    if (n == -1 && errno == EINTR) continue;
    if (n == -1) return -1;
    size += (uint64_t)n;
    sum = crc32(sum, buf, (size_t)n);
  }
  return size == env->size && sum == env->checksum;
}

int queue_has(uint64_t id, enum queue_file file) {
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
  int r = queue_read_info(id, env);

  if (r == 1) return '+';
  if (r == -1) return 0;
  r = queue_has(id, QUEUE_info);
  if (r == 0) r = queue_importing(id) == 1 ? 2 : 0;
  return r == -1 ? 0 : "-~."[r];
}

/* The same of one whose envelope was looked at. */
static int find_others(uint64_t id, struct queue_found *found) {
  char *f = found->file;

  found->row = 0;
  f[QUEUE_mess] = f[QUEUE_info] ? look_at_mess(id, f[QUEUE_info] == '+' ? &found->env : 0) : 0;
  if (!f[QUEUE_mess]) return -1;
  for (int i = 0; i < QUEUE_FILES; ++i) {
    int there;

    if (i == QUEUE_info || i == QUEUE_mess) continue;
    there = queue_has(id, (enum queue_file)i);
    if (there == -1) return -1;
    f[i] = there ? '+' : '-';
  }
  found->row = queue_state(f);
  if (found->row) return 0;
  errno = EPROTO;
  return -1;
}

int queue_find(uint64_t id, struct queue_found *found) {
  found->file[QUEUE_info] = look_at_info(id, &found->env);
  return find_others(id, found);
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
    r = queue_read_info(id, env);
    if (r != 1 || (trust == QUEUE_TRIED && was_settled(id, env))) return r;
    queuepath(path, QUEUE_mess, id);
    if (trust == QUEUE_ANNOUNCED) return access(path, F_OK) == 0 ? 1 : errno == ENOENT ? 0 : -1;
    found.file[QUEUE_info] = '+';
  }
  found.env = *env;
  r = trust == QUEUE_FOUND ? queue_find(id, &found) : find_others(id, &found);
  r = r == -1 ? -1 : found.row->recovery == QUEUE_DELIVER;
  *env = found.env;
  return r;
}

enum queue_sight queue_looks(uint64_t id, const struct envelope *env) {
  struct envelope found = {0};
  char path[QUEUE_PATH];
  int there = queue_has(id, QUEUE_info);
  int whole, fd;

  if (there != 1) return there == 0 ? QUEUE_GONE : QUEUE_UNKNOWN;
  whole = queue_read_info(id, &found);
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

int queue_importing(uint64_t id) {
  char path[QUEUE_PATH + sizeof QUEUE_IMPORT];
  struct stat st;

  queuepath_importing(path, id);
  return lstat(path, &st) == 0 ? 1 : errno == ENOENT ? 0 : -1;
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
