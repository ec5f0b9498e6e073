/* tai64nlocal: turns the time stamp at the start of each line into local time. */
#include <time.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "base/options.h"
#include "base/strerr.h"
#include "base/substdio.h"
#include "base/tai64n.h"

#define FATAL "tai64nlocal: fatal: "
#define LOCAL_SIZE 64

/* YYYY-MM-DD hh:mm:ss.nnnnnnnnn; 0 for a time no calendar has. */
static size_t local_time(char buf[LOCAL_SIZE], const struct tai64n *t) {
  time_t sec = (time_t)tai64n_to_unix(t);
  struct tm tm;
  size_t n;

  if (!localtime_r(&sec, &tm)) return 0;
  n = strftime(buf, LOCAL_SIZE - 16, "%Y-%m-%d %H:%M:%S.", &tm);
  return n ? n + fmt_u64_pad(buf + n, t->nano, 9) : 0;
}

static int put_line(substdio *out, const char *s, size_t n) {
  char buf[LOCAL_SIZE];
  struct tai64n t;
  size_t label = tai64n_scan(s, n, &t);
  size_t len = label ? local_time(buf, &t) : 0;

  if (!len) return substdio_put(out, s, n);
  if (substdio_put(out, buf, len) == -1) return -1;
  return substdio_put(out, s + label, n - label);
}

int main(int argc, char **argv) {
  const struct option table[] = {{0, OPTION_FLAG, 0, 0}};
  char inbuf[SUBSTDIO_SIZE], outbuf[SUBSTDIO_SIZE];
  substdio in, out;
  stralloc line = STRALLOC_INIT;
  int match = 1;

  options_or_die(argc, argv, table, "tai64nlocal", 0, 0);
  substdio_initfd_read(&in, 0, inbuf, sizeof inbuf);
  substdio_initfd_write(&out, 1, outbuf, sizeof outbuf);
  while (match) {
    /* Before we wait, whoever reads us gets what there is. */
    if (bytes_chr(substdio_peek(&in), substdio_have(&in), '\n') == substdio_have(&in) && substdio_flush(&out) == -1)
      strerr_diem_sys(111, FATAL, "unable to write output", (char *)0);
    stralloc_cut(&line, 0);
    if (getln(&in, &line, &match, '\n', 0) == -1)
      strerr_diem_sys(111, FATAL, "unable to read input", (char *)0);
    if (put_line(&out, line.s, line.len) == -1)
      strerr_diem_sys(111, FATAL, "unable to write output", (char *)0);
  }
  if (substdio_flush(&out) == -1) strerr_diem_sys(111, FATAL, "unable to write output", (char *)0);
  return 0;
}
