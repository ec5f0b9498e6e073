/* procstat: see procstat.h. */
#include "super/procstat.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/fmt.h"
#include "base/scan.h"

#define FIELD_PARENT 1 /* counted from the state, which is 0 */
#define FIELD_STARTED 19

/* The program's name stands in parentheses and may hold anything, so the fields
 * are counted from the last closing one. */
int procstat_parse(const char *s, size_t n, struct procstat *p) {
  size_t at = bytes_rchr(s, n, ')');
  struct procstat out = {0};
  uint64_t u, hz = (uint64_t)sysconf(_SC_CLK_TCK);
  int field = -1, found = 0;

  for (at += 1; at < n; ++field) {
    size_t len;

    if (s[at] == ' ') ++at;
    len = bytes_chr(s + at, n - at, ' ');
    if (field == -1 && len) out.state = s[at];
    if (field == FIELD_PARENT - 1 && scan_u64_prefix(s + at, len, &u)) {
      out.parent = (pid_t)u;
      ++found;
    }
    if (field == FIELD_STARTED - 1 && scan_u64_prefix(s + at, len, &u) && u / hz < INT64_MAX / 2000000000) {
      out.started = (int64_t)(u / hz * 1000000000 + u % hz * (1000000000 / hz));
      ++found;
    }
    at += len;
  }
  if (found != 2 || !out.state) return 0;
  *p = out;
  return 1;
}

int procstat_read(pid_t pid, struct procstat *p) {
  char path[64], buf[1024];
  char *end = stpcpy(path, "/proc/");
  ssize_t r;
  int fd;

  stpcpy(end + fmt_u64(end, (uint64_t)pid), "/stat");
  fd = fd_open_read(path);
  if (fd == -1) return errno == ENOENT ? 0 : -1;
  r = read(fd, buf, sizeof buf);
  fd_close(fd);
  if (r == -1) return errno == ESRCH ? 0 : -1;
  if (procstat_parse(buf, (size_t)r, p)) return 1;
  errno = EPROTO;
  return -1;
}

int procstat_boot_id(char id[BOOT_ID_SIZE]) {
  int fd = fd_open_read("/proc/sys/kernel/random/boot_id");
  int r;

  if (fd == -1) return -1;
  r = fd_read_all(fd, id, BOOT_ID_SIZE);
  fd_close(fd);
  if (r == 0) errno = EPROTO;
  return r == 1 ? 0 : -1;
}

int procstat_children(pid_t parent, void (*fn)(void *ctx, pid_t pid), void *ctx) {
  DIR *d = opendir("/proc");
  struct dirent *entry;

  if (!d) return -1;
  while ((entry = readdir(d)) != 0) {
    struct procstat p;
    uint64_t pid;

    if (!scan_u64_max(entry->d_name, strlen(entry->d_name), INT32_MAX, &pid)) continue;
    if (procstat_read((pid_t)pid, &p) == 1 && p.parent == parent) fn(ctx, (pid_t)pid);
  }
  closedir(d);
  return 0;
}
