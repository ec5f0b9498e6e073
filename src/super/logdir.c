/* logdir: see logdir.h. */
#include "super/logdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/spawn.h"
#include "base/tai64n.h"

#define PAUSE_S 5
#define NEAR_END 2000 /* a line that ends so close to the size ends the log */
#define BUSY 0644
#define SAFE 0744

static void warn_pause(const struct logdir *d, const char *what) {
  strerr_warnm_sys("multilog: warning: ", d->path, ": unable to ", what, ", pausing", (char *)0);
  sleep(PAUSE_S);
}

/* Until it works. */
#define PERSIST(d, call, what) \
  while ((call) == -1) warn_pause((d), (what))

static void sync_fd(const struct logdir *d, int fd) {
  if (!d->nosync) PERSIST(d, fsync(fd), "sync");
}

static int open_in(const struct logdir *d, const char *name, int flags) {
  return openat(d->dir, name, flags | O_CLOEXEC, BUSY);
}

/* --- names ------------------------------------------------------------------------------------- */

#define LABEL_SIZE (TAI64N_TEXT + 3)

/* Rename a file to @now.suffix, never over another log. */
static int rename_to_label(const struct logdir *d, const char *name, const char *suffix) {
  char label[LABEL_SIZE];
  struct tai64n now;
  int r;

  tai64n_now(&now);
  tai64n_fmt(label, &now);
  stpcpy(label + TAI64N_TEXT, suffix);
  r = renameat2(d->dir, name, d->dir, label, RENAME_NOREPLACE);
  if (r == -1 && (errno == EINVAL || errno == ENOSYS)) r = renameat(d->dir, name, d->dir, label);
  return r;
}

static int is_old(const char *name) {
  struct tai64n t;
  size_t n = strlen(name);

  return tai64n_scan(name, n, &t) && n >= TAI64N_TEXT;
}

/* The number of old logs, and the name of the oldest; -1 with errno. */
static int count_old(const struct logdir *d, char oldest[NAME_MAX + 1]) {
  int fd = openat(d->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fd == -1 ? 0 : fdopendir(fd);
  struct dirent *entry;
  int n = 0;

  oldest[0] = 0;
  if (!dir) {
    fd_close(fd);
    return -1;
  }
  for (errno = 0; (entry = readdir(dir)) != 0; errno = 0) {
    if (!is_old(entry->d_name)) continue;
    ++n;
    if (!oldest[0] || strcmp(entry->d_name, oldest) < 0) stpcpy(oldest, entry->d_name);
  }
  if (errno) n = -1;
  closedir(dir);
  return n;
}

static void prune(const struct logdir *d) {
  char oldest[NAME_MAX + 1];
  int n;

  for (;;) {
    PERSIST(d, n = count_old(d, oldest), "read directory");
    if ((uint64_t)n < d->keep) return;
    PERSIST(d, unlinkat(d->dir, oldest, 0), "remove an old log");
  }
}

/* --- the processor ----------------------------------------------------------------------------- */

static void unlink_if_there(const struct logdir *d, const char *name) {
  while (unlinkat(d->dir, name, 0) == -1 && errno != ENOENT) warn_pause(d, "remove a file");
}

static int start_processor(struct logdir *d, struct strerr *e) {
  const char *argv[4] = {"sh", "-c", d->processor, 0};
  struct spawn sp = {.path = "/bin/sh", .argv = (char *const *)argv, .cwd = d->path};
  int previous = open_in(d, "previous", O_RDONLY);
  int processed = open_in(d, "processed", O_WRONLY | O_CREAT | O_TRUNC);
  int state = open_in(d, "state", O_RDONLY | O_CREAT);
  int newstate = open_in(d, "newstate", O_WRONLY | O_CREAT | O_TRUNC);

  if (previous == -1 || processed == -1 || state == -1 || newstate == -1) {
    strerr_sys(e, "unable to open the files of the processor", (char *)0);
    d->pid = -1;
  } else {
    spawn_move(&sp, previous, 0);
    spawn_move(&sp, processed, 1);
    spawn_move(&sp, state, 4);
    spawn_move(&sp, newstate, 5);
    d->pid = spawn_start(&sp, e);
  }
  fd_close(previous);
  fd_close(processed);
  fd_close(state);
  fd_close(newstate);
  return d->pid == -1 ? -1 : 0;
}

static void process(struct logdir *d) {
  struct strerr e;

  while (start_processor(d, &e) == -1) {
    strerr_warnm("multilog: warning: ", d->path, ": ", e.text, ", pausing", (char *)0);
    sleep(PAUSE_S);
  }
}

static void sync_file(const struct logdir *d, const char *name, int safe) {
  int fd;

  PERSIST(d, fd = open_in(d, name, O_WRONLY | O_CREAT), "open a file of the processor");
  sync_fd(d, fd);
  if (safe) PERSIST(d, fchmod(fd, SAFE), "change a mode");
  fd_close(fd);
}

/* Can be cut off and done again at any point: processed, which says so, goes last. */
static void finish_processed(struct logdir *d) {
  while (renameat(d->dir, "newstate", d->dir, "state") == -1 && errno != ENOENT)
    warn_pause(d, "rename newstate");
  unlink_if_there(d, "previous");
  PERSIST(d, rename_to_label(d, "processed", ".s"), "rename processed");
  sync_fd(d, d->dir);
  prune(d);
}

static void processor_ended(struct logdir *d, int status) {
  d->pid = 0;
  if (status != -1 && spawn_code(status) == 0) {
    sync_file(d, "newstate", 0);
    sync_file(d, "processed", 1);
    finish_processed(d);
    return;
  }
  strerr_warnm("multilog: warning: ", d->path, ": processor failed, pausing", (char *)0);
  sleep(PAUSE_S);
  process(d);
}

void logdir_reap(struct logdir *d) {
  int status;

  if (d->pid && waitpid(d->pid, &status, WNOHANG) == d->pid) processor_ended(d, status);
}

static void wait_for_processor(struct logdir *d) {
  while (d->pid) processor_ended(d, spawn_wait(d->pid));
}

/* --- current ----------------------------------------------------------------------------------- */

static void open_current(struct logdir *d) {
  struct stat st;

  PERSIST(d, d->fd = open_in(d, "current", O_WRONLY | O_APPEND | O_CREAT), "open current");
  PERSIST(d, fchmod(d->fd, BUSY), "change the mode of current");
  PERSIST(d, fstat(d->fd, &st), "look at current");
  d->size = (uint64_t)st.st_size;
}

static void close_current(struct logdir *d) {
  logdir_flush(d);
  sync_fd(d, d->fd);
  PERSIST(d, fchmod(d->fd, SAFE), "change the mode of current");
  d->fd = fd_close(d->fd);
}

void logdir_flush(struct logdir *d) {
  size_t done = 0;

  while (done < d->out.len) {
    ssize_t w = write(d->fd, d->out.s + done, d->out.len - done);

    if (w > 0) done += (size_t)w;
    else if (errno != EINTR) warn_pause(d, "write current");
  }
  stralloc_cut(&d->out, 0);
}

void logdir_rotate(struct logdir *d) {
  if (!d->size) return;
  wait_for_processor(d);
  close_current(d);
  if (d->processor) {
    PERSIST(d, renameat(d->dir, "current", d->dir, "previous"), "rename current");
    process(d);
  } else {
    PERSIST(d, rename_to_label(d, "current", ".s"), "rename current");
    sync_fd(d, d->dir);
    prune(d);
  }
  open_current(d);
}

int logdir_put(struct logdir *d, const char *s, size_t n) {
  while (n) {
    uint64_t room = d->max > d->size ? d->max - d->size : 0;
    size_t part = n < room ? n : (size_t)room;
    const char *lf = memchr(s, '\n', part);

    if (lf) part = (size_t)(lf - s) + 1;
    if (!stralloc_catb(&d->out, s, part)) return -1;
    d->size += part;
    s += part;
    n -= part;
    if (d->size >= d->max || (lf && d->size + NEAR_END >= d->max)) logdir_rotate(d);
  }
  return 0;
}

/* --- the directory ------------------------------------------------------------------------------ */

/* What an earlier multilog, perhaps cut off, has left. */
static void recover(struct logdir *d) {
  struct stat st;

  if (fstatat(d->dir, "current", &st, 0) == 0 && !(st.st_mode & S_IXUSR)) {
    PERSIST(d, rename_to_label(d, "current", ".u"), "rename current");
    prune(d);
  }
  if (fstatat(d->dir, "processed", &st, 0) == 0 && (st.st_mode & S_IXUSR)) {
    finish_processed(d);
    return;
  }
  unlink_if_there(d, "processed");
  unlink_if_there(d, "newstate");
  if (fstatat(d->dir, "previous", &st, 0) == -1) return;
  if (d->processor) {
    process(d);
    return;
  }
  PERSIST(d, rename_to_label(d, "previous", ".s"), "rename previous");
  prune(d);
}

static int make_state(const struct logdir *d) {
  int fd = open_in(d, "state", O_WRONLY | O_CREAT);

  if (fd == -1) return -1;
  fd_close(fd);
  return 0;
}

int logdir_open(struct logdir *d, struct strerr *e) {
  d->fd = d->lock = d->dir = -1;
  if (file_mkdir(d->path, 0700) == -1)
    return strerr_sys(e, "unable to make directory ", d->path, (char *)0);
  d->dir = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (d->dir == -1) return strerr_sys(e, "unable to open directory ", d->path, (char *)0);
  d->lock = openat(d->dir, "lock", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (d->lock == -1 || lock_exnb(d->lock) == -1)
    return strerr_sys(e, "unable to lock directory ", d->path, (char *)0);
  if (make_state(d) == -1) return strerr_sys(e, "unable to write in ", d->path, (char *)0);
  recover(d);
  open_current(d);
  return 0;
}

void logdir_close(struct logdir *d) {
  if (d->fd != -1) close_current(d);
  wait_for_processor(d);
  d->lock = fd_close(d->lock);
  d->dir = fd_close(d->dir);
  stralloc_free(&d->out);
}
