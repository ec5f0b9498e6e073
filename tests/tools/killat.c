/* killat: preloaded into a program, ends it by SIGKILL just before the n-th call that
 * changes anything on disk, or tells a server to (KILLAT=n), and writes how many there were to the file
 * KILLAT_COUNT when it ends by itself.  For tests of what a crash leaves behind. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static long at, calls;

static void step(void) {
  if (!at) {
    const char *s = getenv("KILLAT");

    at = s ? atol(s) : -1;
  }
  if (++calls == at) kill(getpid(), SIGKILL);
}

__attribute__((destructor)) static void report(void) {
  const char *path = getenv("KILLAT_COUNT");
  char buf[32];
  int n = snprintf(buf, sizeof buf, "%ld\n", calls);
  int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
  ssize_t (*put)(int, const void *, size_t) = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");

  if (fd != -1) (void)!put(fd, buf, (size_t)n);
}

#define WRAP(type, name, parameters, arguments)                          \
  type name parameters;                                                  \
  type name parameters {                                                 \
    type(*real) parameters = (type(*) parameters)dlsym(RTLD_NEXT, #name); \
    step();                                                              \
    return real arguments;                                               \
  }

WRAP(int, rename, (const char *a, const char *b), (a, b))
WRAP(int, renameat, (int d, const char *a, int e, const char *b), (d, a, e, b))
WRAP(int, mkdir, (const char *p, mode_t m), (p, m))
WRAP(int, mkdirat, (int d, const char *p, mode_t m), (d, p, m))
WRAP(int, unlink, (const char *p), (p))
WRAP(int, unlinkat, (int d, const char *p, int f), (d, p, f))
WRAP(int, chown, (const char *p, uid_t u, gid_t g), (p, u, g))
WRAP(int, chmod, (const char *p, mode_t m), (p, m))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, ftruncate64, (int fd, off64_t n), (fd, n))
WRAP(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n))
WRAP(ssize_t, pwrite64, (int fd, const void *b, size_t n, off64_t o), (fd, b, n, o))
WRAP(ssize_t, send, (int fd, const void *b, size_t n, int f), (fd, b, n, f))
