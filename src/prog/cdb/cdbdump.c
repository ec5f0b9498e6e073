/* cdbdump: prints a cdb in the form cdbmake reads.  Reads from front to end, so a
 * pipe will do. */
#include "base/cdb.h"
#include "base/options.h"
#include "base/strerr.h"
#include "base/substdio.h"

#define FATAL "cdbdump: fatal: "

struct dump {
  substdio in, out;
  uint32_t pos;
};

static void die_write(void) {
  strerr_diem_sys(111, FATAL, "unable to write output", (char *)0);
}

/* The next len bytes, in pieces as they come, to out or nowhere. */
static void pass(struct dump *d, uint32_t len, char *keep, int print) {
  if (len > UINT32_MAX - d->pos) strerr_diem(111, FATAL, "unable to read input: bad format", (char *)0);
  d->pos += len;
  while (len) {
    ssize_t have = substdio_feed(&d->in);
    size_t n = len;

    if (have == -1) strerr_diem_sys(111, FATAL, "unable to read input", (char *)0);
    if (have == 0) strerr_diem(111, FATAL, "unable to read input: bad format", (char *)0);
    if (n > (size_t)have) n = (size_t)have;
    if (print && substdio_put(&d->out, substdio_peek(&d->in), n) == -1) die_write();
    if (keep)
      for (size_t i = 0; i < n; ++i) *keep++ = substdio_peek(&d->in)[i];
    substdio_take(&d->in, n);
    len -= (uint32_t)n;
  }
}

static uint32_t number(struct dump *d) {
  unsigned char b[4];

  pass(d, 4, (char *)b, 0);
  return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void put(struct dump *d, const char *s) {
  if (substdio_puts(&d->out, s) == -1) die_write();
}

static void put_number(struct dump *d, uint32_t u) {
  if (substdio_putu64(&d->out, u) == -1) die_write();
}

static void record(struct dump *d) {
  uint32_t klen = number(d);
  uint32_t dlen = number(d);

  put(d, "+");
  put_number(d, klen);
  put(d, ",");
  put_number(d, dlen);
  put(d, ":");
  pass(d, klen, 0, 1);
  put(d, "->");
  pass(d, dlen, 0, 1);
  put(d, "\n");
}

int main(int argc, char **argv) {
  const struct option table[] = {{0, OPTION_FLAG, 0, 0}};
  char inbuf[SUBSTDIO_SIZE], outbuf[SUBSTDIO_SIZE];
  struct dump d = {.pos = 0};
  uint32_t end;

  options_or_die(argc, argv, table, "cdbdump < file", 0, 0);
  substdio_initfd_read(&d.in, 0, inbuf, sizeof inbuf);
  substdio_initfd_write(&d.out, 1, outbuf, sizeof outbuf);
  end = number(&d);
  pass(&d, CDB_HEADER - 4, 0, 0);
  while (d.pos < end) record(&d);
  put(&d, "\n");
  if (substdio_flush(&d.out) == -1) die_write();
  return 0;
}
