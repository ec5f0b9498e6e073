/* fault: linked into every program under test through --wrap (make faulty).  Silent
 * unless the environment asks:
 *
 * FAULT_LOG=FILE FAULT_ROOT=DIR: append a line to FILE for each operation that changes
 *   anything below DIR, after it was done, with one write: the lines of all processes
 *   stand in an order that keeps cause before effect.  A line is
 *     OPERATION PID PROGRAM NUMBER NUMBER HEX HEX
 *   where - is an empty text:
 *     create INODE 0 PATH -       a file that was not there (also: mkdir, symlink with its text)
 *     link INODE 0 NEWPATH -      rename 0 0 OLD NEW      unlink 0 0 PATH -      rmdir 0 0 PATH -
 *     write INODE OFFSET DATA -   trunc INODE SIZE - -
 *     syncing INODE 0 PATH -, synced INODE ERRNO PATH -   before and after an fsync, of a
 *                                 directory too: what was done before the first is on disk
 *     syncingall, syncedall       the same of a whole file system
 *     exit CODE 0 - -             before the process ends of itself
 *     say 0 0 DATA -              before something is sent into a socket
 * FAULT_FAIL="PROGRAM KIND N ERRNO": the N-th call of this kind (see enum kind) in a process of
 *   this program fails with this errno; 0 is a short write.  FAULT_FIRED=FILE: made when it
 *   comes to that; no call fails while it is there, so only one process is hit.
 *
 * FAULT_CLOCK=FILE: the clock is wrong by as many seconds as the number in FILE says.
 *
 * What a daemon leaves out of its children's environment is put back at exec.  Nothing here
 * allocates: the child of a vfork runs it in its parent's memory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DATA_MAX (1u << 18)
#define HIGH_FD 700 /* out of the way of descriptors whose number means something */
#define VARIABLES 5

enum kind { MALLOC, OPEN, WRITE, FSYNC, FORK, NAME, EXEC, READ, PIPE, SOCKET, KINDS };
static const char *const kind_name[KINDS] = {"malloc", "open", "write", "fsync", "fork", "name", "exec", "read",
                                                "pipe",   "socket"};

static const char *const variable[VARIABLES] = {"FAULT_LOG", "FAULT_ROOT", "FAULT_FAIL", "FAULT_FIRED",
                                                "FAULT_CLOCK"};
static char kept[VARIABLES][PATH_MAX]; /* "NAME=value", empty: not set */
static const char *root;
static size_t root_len;
static int log_fd = -1;
static int speaks;
static long calls[KINDS];
static long fail_at; /* 0: nothing fails */
static enum kind fail_kind;
static int fail_errno;
static const char *fired;
static const char *clock_file;

#define REAL(type, name, parameters) type __real_##name parameters
REAL(int, open, (const char *, int, ...));
REAL(int, openat, (int, const char *, int, ...));
REAL(ssize_t, write, (int, const void *, size_t));
REAL(ssize_t, pwrite, (int, const void *, size_t, off_t));
REAL(ssize_t, read, (int, void *, size_t));
REAL(ssize_t, pread, (int, void *, size_t, off_t));
REAL(ssize_t, recv, (int, void *, size_t, int));
REAL(ssize_t, recvmsg, (int, struct msghdr *, int));
REAL(ssize_t, sendmsg, (int, const struct msghdr *, int));
REAL(int, pipe2, (int[2], int));
REAL(int, socket, (int, int, int));
REAL(int, socketpair, (int, int, int, int[2]));
REAL(DIR *, opendir, (const char *));
REAL(int, fsync, (int));
REAL(int, fdatasync, (int));
REAL(int, syncfs, (int));
REAL(int, linkat, (int, const char *, int, const char *, int));
REAL(int, symlink, (const char *, const char *));
REAL(int, renameat2, (int, const char *, int, const char *, unsigned));
REAL(int, unlinkat, (int, const char *, int));
REAL(int, ftruncate, (int, off_t));
REAL(int, mkdirat, (int, const char *, mode_t));
REAL(ssize_t, send, (int, const void *, size_t, int));
REAL(int, clock_gettime, (clockid_t, struct timespec *));
REAL(void *, malloc, (size_t));
REAL(void *, calloc, (size_t, size_t));
REAL(void *, realloc, (void *, size_t));
REAL(void *, reallocarray, (void *, size_t, size_t));
REAL(pid_t, fork, (void));
REAL(pid_t, vfork, (void));
REAL(int, execve, (const char *, char *const[], char *const[]));
REAL(void, _exit, (int)) __attribute__((noreturn));

/* --- the log --- */

static char line[3 * DATA_MAX];

static size_t put_hex(char *to, const char *s, size_t n) {
  size_t at = 0;

  if (!n) to[at++] = '-';
  for (size_t i = 0; i < n; ++i) {
    to[at++] = "0123456789abcdef"[(unsigned char)s[i] >> 4];
    to[at++] = "0123456789abcdef"[s[i] & 15];
  }
  return at;
}

static void note(const char *what, long long a, long long b, const char *s, size_t sn, const char *t, size_t tn) {
  int saved = errno;
  size_t n;

  if (log_fd == -1) return;
  if (sn > DATA_MAX || tn > 2 * PATH_MAX) abort();
  n = (size_t)snprintf(line, PATH_MAX, "%s %ld %s %lld %lld ", what, syscall(SYS_getpid), program_invocation_short_name, a, b);
  n += put_hex(line + n, s, sn);
  line[n++] = ' ';
  n += put_hex(line + n, t, tn);
  line[n++] = '\n';
  if (__real_write(log_fd, line, n) != (ssize_t)n) abort();
  errno = saved;
}

static void on_end(int code, void *unused) {
  (void)unused;
  note("exit", code, 0, "", 0, "", 0);
}

static void link_target(const char *link, char path[PATH_MAX]) {
  ssize_t n = readlink(link, path, PATH_MAX - 1);

  path[n > 0 ? n : 0] = 0;
}

static void fd_path(int fd, char path[PATH_MAX]) {
  char link[64];

  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  link_target(link, path);
}

/* The absolute path of what is named; 0 if it is none of ours. */
static int ours(int at, const char *name, char path[2 * PATH_MAX]) {
  while (!strncmp(name, "./", 2)) name += 2;
  if (*name == '/') {
    snprintf(path, 2 * PATH_MAX, "%s", name);
  } else {
    char dir[PATH_MAX];

    if (at == AT_FDCWD) link_target("/proc/self/cwd", dir);
    else fd_path(at, dir);
    snprintf(path, 2 * PATH_MAX, "%s/%s", dir, name);
  }
  return log_fd != -1 && !strncmp(path, root, root_len) && path[root_len] == '/';
}

static void note_path(const char *what, long long a, int at, const char *name) {
  char path[2 * PATH_MAX];

  if (ours(at, name, path)) note(what, a, 0, path, strlen(path), "", 0);
}

/* The file behind a descriptor if it is one of ours: its inode, else 0. */
static unsigned long long inode(int fd) {
  char path[PATH_MAX];
  struct stat st;

  if (log_fd == -1 || fstat(fd, &st) == -1 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))) return 0;
  fd_path(fd, path);
  return !strncmp(path, root, root_len) && path[root_len] == '/' ? st.st_ino : 0;
}

/* --- failures --- */

static int fails(enum kind kind) {
  int fd;

  if (!fail_at || kind != fail_kind || ++calls[kind] != fail_at) return 0;
  fd = __real_open(fired, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd == -1) return 0;
  close(fd);
  errno = fail_errno;
  return 1;
}

static void set_failure(const char *s) {
  char name[64], kind[16];
  long n;
  int number;

  if (sscanf(s, "%63s %15s %ld %d", name, kind, &n, &number) != 4 || strcmp(name, program_invocation_short_name)) return;
  for (int k = 0; k < KINDS; ++k)
    if (!strcmp(kind, kind_name[k])) fail_kind = (enum kind)k;
  fail_errno = number;
  fail_at = n;
}

__attribute__((constructor)) static void start(void) {
  const char *value[VARIABLES];

  for (int i = 0; i < VARIABLES; ++i) {
    value[i] = getenv(variable[i]);
    if (value[i]) snprintf(kept[i], sizeof kept[i], "%s=%s", variable[i], value[i]);
  }
  if (value[0] && value[1]) {
    int fd = __real_open(value[0], O_WRONLY | O_APPEND | O_CLOEXEC);

    root = strchr(kept[1], '=') + 1;
    root_len = strlen(root);
    log_fd = fd == -1 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
    if (log_fd == -1) abort();
    close(fd);
    speaks = !strcmp(program_invocation_short_name, "qmail-send");
    on_exit(on_end, 0);
  }
  fired = value[3] ? strchr(kept[3], '=') + 1 : "/nonexistent";
  if (value[2]) set_failure(value[2]);
  if (value[4]) clock_file = strchr(kept[4], '=') + 1;
}

/* --- the wrappers --- */

#define WRAP(type, name, parameters) \
  type __wrap_##name parameters;     \
  type __wrap_##name parameters

static int open_noted(int at, const char *name, int flags, mode_t mode) {
  struct stat st;
  int there, fd;

  if (fails(OPEN)) return -1;
  there = log_fd != -1 && fstatat(at, name, &st, 0) == 0;
  fd = __real_openat(at, name, flags, mode);
  if (fd == -1 || log_fd == -1 || !(flags & O_CREAT)) return fd;
  if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) return fd;
  if (!there) note_path("create", (long long)st.st_ino, at, name);
  else if (flags & O_TRUNC && inode(fd)) note("trunc", (long long)st.st_ino, 0, "", 0, "", 0);
  return fd;
}

WRAP(int, open, (const char *name, int flags, ...)) {
  va_list ap;
  mode_t mode;

  va_start(ap, flags);
  mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
  va_end(ap);
  return open_noted(AT_FDCWD, name, flags, mode);
}

WRAP(int, openat, (int at, const char *name, int flags, ...)) {
  va_list ap;
  mode_t mode;

  va_start(ap, flags);
  mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
  va_end(ap);
  return open_noted(at, name, flags, mode);
}

/* How fortified code opens what it does not create. */
WRAP(int, __open_2, (const char *name, int flags)) {
  return open_noted(AT_FDCWD, name, flags, 0);
}

WRAP(int, __openat_2, (int at, const char *name, int flags)) {
  return open_noted(at, name, flags, 0);
}

static void note_data(int fd, off_t from, const char *s, ssize_t n) {
  unsigned long long ino = n > 0 ? inode(fd) : 0;

  for (ssize_t done = 0; ino && done < n;) {
    size_t part = (size_t)(n - done) < DATA_MAX ? (size_t)(n - done) : DATA_MAX;

    note("write", (long long)ino, from + done, s + done, part, "", 0);
    done += (ssize_t)part;
  }
}

WRAP(ssize_t, write, (int fd, const void *s, size_t n)) {
  struct stat st;
  ssize_t w;

  if (fails(WRITE)) {
    if (fail_errno) return -1;
    n = n / 2 ? n / 2 : n;
  }
  if (speaks && n <= PATH_MAX && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode)) note("say", 0, 0, s, n, "", 0);
  w = __real_write(fd, s, n);
  if (log_fd != -1 && w > 0) note_data(fd, lseek(fd, 0, SEEK_CUR) - w, s, w);
  return w;
}

WRAP(ssize_t, pwrite, (int fd, const void *s, size_t n, off_t at)) {
  ssize_t w;

  if (fails(WRITE)) {
    if (fail_errno) return -1;
    n = n / 2 ? n / 2 : n;
  }
  w = __real_pwrite(fd, s, n, at);
  note_data(fd, at, s, w);
  return w;
}

WRAP(ssize_t, read, (int fd, void *s, size_t n)) {
  return fails(READ) ? -1 : __real_read(fd, s, n);
}

WRAP(ssize_t, pread, (int fd, void *s, size_t n, off_t at)) {
  return fails(READ) ? -1 : __real_pread(fd, s, n, at);
}

WRAP(ssize_t, recv, (int fd, void *s, size_t n, int flags)) {
  return fails(READ) ? -1 : __real_recv(fd, s, n, flags);
}

WRAP(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags)) {
  return fails(READ) ? -1 : __real_recvmsg(fd, m, flags);
}

/* Never short: descriptors go with it. */
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags)) {
  return fails(WRITE) && fail_errno ? -1 : __real_sendmsg(fd, m, flags);
}

WRAP(int, pipe2, (int p[2], int flags)) {
  return fails(PIPE) ? -1 : __real_pipe2(p, flags);
}

WRAP(int, socket, (int domain, int type, int protocol)) {
  return fails(SOCKET) ? -1 : __real_socket(domain, type, protocol);
}

WRAP(int, socketpair, (int domain, int type, int protocol, int p[2])) {
  return fails(SOCKET) ? -1 : __real_socketpair(domain, type, protocol, p);
}

WRAP(DIR *, opendir, (const char *name)) {
  return fails(OPEN) ? 0 : __real_opendir(name);
}

static int synced_as(int fd, int (*call)(int), const char *before, const char *after) {
  char path[PATH_MAX];
  unsigned long long ino = inode(fd);
  int r;

  if (ino) {
    fd_path(fd, path);
    note(before, (long long)ino, 0, path, strlen(path), "", 0);
  }
  if (fails(FSYNC)) return -1;
  r = call(fd);
  if (ino) note(after, (long long)ino, r == 0 ? 0 : errno, path, strlen(path), "", 0);
  return r;
}

static int synced(int fd, int (*call)(int)) {
  return synced_as(fd, call, "syncing", "synced");
}

WRAP(int, syncfs, (int fd)) {
  return synced_as(fd, __real_syncfs, "syncingall", "syncedall");
}

WRAP(int, fsync, (int fd)) {
  return synced(fd, __real_fsync);
}

WRAP(int, fdatasync, (int fd)) {
  return synced(fd, __real_fdatasync);
}

WRAP(int, linkat, (int from, const char *a, int to, const char *b, int flags)) {
  struct stat st;

  if (fails(NAME)) return -1;
  if (__real_linkat(from, a, to, b, flags) == -1) return -1;
  if (log_fd != -1 && fstatat(to, b, &st, AT_SYMLINK_NOFOLLOW) == 0) note_path("link", (long long)st.st_ino, to, b);
  return 0;
}

WRAP(int, link, (const char *a, const char *b)) {
  return __wrap_linkat(AT_FDCWD, a, AT_FDCWD, b, 0);
}

WRAP(int, symlink, (const char *text, const char *name)) {
  char path[2 * PATH_MAX];

  if (fails(NAME)) return -1;
  if (__real_symlink(text, name) == -1) return -1;
  if (ours(AT_FDCWD, name, path)) note("symlink", 0, 0, path, strlen(path), text, strlen(text));
  return 0;
}

WRAP(int, renameat2, (int from, const char *a, int to, const char *b, unsigned flags)) {
  char old[2 * PATH_MAX], new[2 * PATH_MAX];

  if (fails(NAME)) return -1;
  if (__real_renameat2(from, a, to, b, flags) == -1) return -1;
  if (ours(from, a, old) && ours(to, b, new)) note("rename", 0, 0, old, strlen(old), new, strlen(new));
  return 0;
}

WRAP(int, renameat, (int from, const char *a, int to, const char *b)) {
  return __wrap_renameat2(from, a, to, b, 0);
}

WRAP(int, rename, (const char *a, const char *b)) {
  return __wrap_renameat2(AT_FDCWD, a, AT_FDCWD, b, 0);
}

WRAP(int, unlinkat, (int at, const char *name, int flags)) {
  if (fails(NAME)) return -1;
  if (__real_unlinkat(at, name, flags) == -1) return -1;
  note_path(flags & AT_REMOVEDIR ? "rmdir" : "unlink", 0, at, name);
  return 0;
}

WRAP(int, unlink, (const char *name)) {
  return __wrap_unlinkat(AT_FDCWD, name, 0);
}

WRAP(int, rmdir, (const char *name)) {
  return __wrap_unlinkat(AT_FDCWD, name, AT_REMOVEDIR);
}

WRAP(int, mkdirat, (int at, const char *name, mode_t mode)) {
  if (fails(NAME)) return -1;
  if (__real_mkdirat(at, name, mode) == -1) return -1;
  note_path("mkdir", 0, at, name);
  return 0;
}

WRAP(int, mkdir, (const char *name, mode_t mode)) {
  return __wrap_mkdirat(AT_FDCWD, name, mode);
}

WRAP(int, ftruncate, (int fd, off_t size)) {
  unsigned long long ino = inode(fd);

  if (fails(WRITE)) return -1;
  if (__real_ftruncate(fd, size) == -1) return -1;
  if (ino) note("trunc", (long long)ino, size, "", 0, "", 0);
  return 0;
}

WRAP(ssize_t, send, (int fd, const void *s, size_t n, int flags)) {
  if (fails(WRITE)) {
    if (fail_errno) return -1;
    n = n / 2 ? n / 2 : n;
  }
  if (n <= PATH_MAX) note("say", 0, 0, s, n, "", 0);
  return __real_send(fd, s, n, flags);
}

static long clock_error(void) {
  char text[32];
  ssize_t n;
  int fd;

  if (!clock_file) return 0;
  fd = __real_open(clock_file, O_RDONLY | O_CLOEXEC);
  n = fd == -1 ? -1 : __real_read(fd, text, sizeof text - 1);
  if (fd != -1) close(fd);
  text[n > 0 ? n : 0] = 0;
  return atol(text);
}

WRAP(int, clock_gettime, (clockid_t id, struct timespec *ts)) {
  int r = __real_clock_gettime(id, ts);

  if (r == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) ts->tv_sec += clock_error();
  return r;
}

WRAP(time_t, time, (time_t *t)) {
  struct timespec ts;

  __wrap_clock_gettime(CLOCK_REALTIME_COARSE, &ts);
  if (t) *t = ts.tv_sec;
  return ts.tv_sec;
}

WRAP(void *, malloc, (size_t n)) {
  return fails(MALLOC) ? 0 : __real_malloc(n);
}

WRAP(void *, calloc, (size_t n, size_t m)) {
  return fails(MALLOC) ? 0 : __real_calloc(n, m);
}

WRAP(void *, realloc, (void *p, size_t n)) {
  return fails(MALLOC) ? 0 : __real_realloc(p, n);
}

WRAP(void *, reallocarray, (void *p, size_t n, size_t m)) {
  return fails(MALLOC) ? 0 : __real_reallocarray(p, n, m);
}

WRAP(pid_t, fork, (void)) {
  return fails(FORK) ? -1 : __real_fork();
}

/* The frame of whoever calls vfork must not be left before the child has gone: this one has
 * to end in a jump. */
WRAP(pid_t, vfork, (void)) {
  if (fails(FORK)) return -1;
  return __real_vfork();
}

WRAP(int, execve, (const char *path, char *const argv[], char *const envp[])) {
  char *all[1024];
  size_t n = 0;

  if (fails(EXEC)) return -1;
  for (; envp[n] && n < 1000; ++n) all[n] = envp[n];
  for (int i = 0; i < VARIABLES; ++i) {
    size_t len = strlen(variable[i]);
    size_t j = 0;

    while (j < n && (strncmp(all[j], variable[i], len) || all[j][len] != '=')) ++j;
    if (kept[i][0] && j == n) all[n++] = kept[i];
  }
  all[n] = 0;
  return __real_execve(path, argv, all);
}

WRAP(void, _exit, (int code)) {
  note("exit", code, 0, "", 0, "", 0);
  __real__exit(code);
}
