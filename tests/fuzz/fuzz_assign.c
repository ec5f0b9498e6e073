/* users/assign: lines, the edits, and compiling; and the compiled form as input. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "user/assign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

static void look(int fd, const char *local, size_t n) {
  char path[64] = "/proc/self/fd/";
  struct assign_user u = {.user = 0};
  struct strerr e;
  size_t at = strlen(path);

  for (unsigned div = 1000; div; div /= 10)
    if ((unsigned)fd >= div || div == 1) path[at++] = (char)('0' + (unsigned)fd / div % 10);
  path[at] = 0;
  if (assign_find(path, local, n, &u, &e) == 1) require(u.user && u.home && u.dash && u.ext);
  assign_user_free(&u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  struct assign_line l;
  struct strerr e;
  stralloc out = STRALLOC_INIT, without = STRALLOC_INIT;
  int fd = memfd_create("cdb", MFD_CLOEXEC);
  size_t first = bytes_chr(s, size, '\n');

  require(fd != -1);
  if (assign_parse(s, first, &l)) require(l.field[ASSIGN_EXT].s + l.field[ASSIGN_EXT].n <= s + first);
  if (assign_with(s, size, "+a-:a:1:2:/:-::", &out) == -1) abort();
  require(assign_without(out.s, out.len, "+a-", &without) == 1);
  if (assign_compile(out.s, out.len, fd, &e) == 0) look(fd, "a-b", 3);
  require(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
  if (fd_write_all(fd, s, size) == -1) abort();
  look(fd, "a-b", 3);
  close(fd);
  stralloc_free(&out);
  stralloc_free(&without);
  return 0;
}
