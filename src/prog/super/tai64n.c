/* tai64n: puts a time stamp in front of each line. */
#include "base/options.h"
#include "base/strerr.h"
#include "base/substdio.h"
#include "base/bytes.h"
#include "base/tai64n.h"

#define FATAL "tai64n: fatal: "

/* What has arrived; begin says whether a line begins with it. */
static int stamp(substdio *out, const char *s, size_t n, int begin) {
  while (n) {
    size_t len = bytes_chr(s, n, '\n');
    char label[TAI64N_TEXT + 1];
    struct tai64n t;

    if (begin) {
      tai64n_now(&t);
      tai64n_fmt(label, &t);
      label[TAI64N_TEXT] = ' ';
      if (substdio_put(out, label, sizeof label) == -1) return -1;
    }
    begin = len < n;
    if (begin) ++len;
    if (substdio_put(out, s, len) == -1) return -1;
    s += len;
    n -= len;
  }
  return begin;
}

int main(int argc, char **argv) {
  const struct option table[] = {{0, OPTION_FLAG, 0, 0}};
  char inbuf[SUBSTDIO_SIZE], outbuf[SUBSTDIO_SIZE];
  substdio in, out;
  int begin = 1;

  options_or_die(argc, argv, table, "tai64n", 0, 0);
  substdio_initfd_read(&in, 0, inbuf, sizeof inbuf);
  substdio_initfd_write(&out, 1, outbuf, sizeof outbuf);
  for (;;) {
    ssize_t n = substdio_feed(&in);

    if (n == -1) strerr_diem_sys(111, FATAL, "unable to read input", (char *)0);
    if (n == 0) return 0;
    begin = stamp(&out, substdio_peek(&in), (size_t)n, begin);
    if (begin == -1 || substdio_flush(&out) == -1)
      strerr_diem_sys(111, FATAL, "unable to write output", (char *)0);
    substdio_take(&in, (size_t)n);
  }
}
