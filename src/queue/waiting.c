/* waiting: see waiting.h. */
#include "queue/waiting.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/scan.h"

#define DIGITS 20

int waiting_open(void) {
  return open(QUEUE_WAITING, O_WRONLY | O_CLOEXEC);
}

void waiting_put(int fd, uint64_t n) {
  char number[FMT_U64 + 1];
  char line[DIGITS + 1];
  size_t len = fmt_u64(number, n);

  if (fd == -1) return;
  memset(line, '0', DIGITS);
  memcpy(line + DIGITS - len, number, len);
  line[DIGITS] = '\n';
  (void)!pwrite(fd, line, sizeof line, 0);
}

int waiting_parse(const char *s, uint64_t n, uint64_t *count) {
  size_t zeros = 0;

  if (n != DIGITS + 1 || s[DIGITS] != '\n') return 0;
  while (zeros < DIGITS - 1 && s[zeros] == '0') ++zeros;
  return scan_u64(s + zeros, DIGITS - zeros, count);
}
