/* delivery_count: see delivery_count.h. */
#include "user/delivery_count.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/scan.h"

#define FILE_MAX 65536 /* of a thousand days; then it begins anew */
#define DAY_TEXT 10    /* DD-MM-YYYY */
#define LINE_MAX 80

static void day_of(int64_t now, char text[LINE_MAX]) {
  time_t t = (time_t)now;
  struct tm tm = {.tm_mday = 1};

  (void)gmtime_r(&t, &tm); /* a time beyond all calendars is of a day that never was */
  if (!strftime(text, LINE_MAX, "%d-%m-%Y:%H:%M:%S", &tm)) *text = 0;
}

/* Where the last line begins; the file's size where there is none. */
static size_t last_line(const stralloc *text) {
  size_t n = text->len;

  if (!n || text->s[n - 1] != '\n') return n;
  for (--n; n && text->s[n - 1] != '\n'; --n) continue;
  return n;
}

/* Of today's line, or nothing: it is another day's, or none. */
static void read_today(struct delivery_count *d, const char *day) {
  size_t at = last_line(&d->text), blank, second;
  const char *s = d->text.s + at;
  size_t n = d->text.len - at;
  uint64_t messages, bytes;

  if (n < DAY_TEXT || memcmp(s, day, DAY_TEXT)) return;
  blank = bytes_chr(s, n, ' ');
  second = blank < n ? blank + 1 + bytes_chr(s + blank + 1, n - blank - 1, ' ') : n;
  if (second >= n || !scan_u64(s + blank + 1, second - blank - 1, &messages) || !scan_u64(s + second + 1, n - second - 2, &bytes)) return;
  d->messages = messages;
  d->bytes = bytes;
  stralloc_cut(&d->text, at); /* to be written anew */
}

int delivery_count_open(struct delivery_count *d, const char *maildir, int64_t now, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  char day[LINE_MAX];

  *d = (struct delivery_count)DELIVERY_COUNT_INIT;
  d->now = now;
  errno = ENOMEM;
  if (stralloc_catm(&path, maildir, "/deliveryCount", (char *)0)) d->fd = fd_open_among(path.s, 0600);
  if (d->fd != -1 && lock_ex(d->fd) == -1) d->fd = fd_close(d->fd);
  if (d->fd != -1 && fd_slurp(d->fd, &d->text, FILE_MAX) == -1) {
    if (errno != EFBIG) d->fd = fd_close(d->fd);
    else stralloc_cut(&d->text, 0);
  }
  if (d->fd == -1) strerr_sys(e, "unable to use ", stralloc_cstr(&path), (char *)0);
  stralloc_free(&path);
  if (d->fd == -1) return -1;
  day_of(now, day);
  if (d->text.len) read_today(d, day);
  return 0;
}

int delivery_count_add(struct delivery_count *d, uint64_t bytes, struct strerr *e) {
  char line[LINE_MAX], day[LINE_MAX];
  int n, ok;

  ++d->messages;
  if (__builtin_add_overflow(d->bytes, bytes, &d->bytes)) d->bytes = UINT64_MAX;
  day_of(d->now, day);
  n = snprintf(line, sizeof line, "%.19s %llu %llu\n", day, (unsigned long long)d->messages, (unsigned long long)d->bytes);
  if (d->text.len > FILE_MAX / 2) stralloc_cut(&d->text, 0);
  errno = ENOMEM;
  ok = n > 0 && n < (int)sizeof line && stralloc_catb(&d->text, line, (size_t)n) && lseek(d->fd, 0, SEEK_SET) == 0 &&
       ftruncate(d->fd, 0) == 0 && fd_write_all(d->fd, d->text.s, d->text.len) == 0;
  return ok ? 0 : strerr_sys(e, "unable to write deliveryCount", (char *)0);
}

void delivery_count_close(struct delivery_count *d) {
  d->fd = fd_close(d->fd);
  stralloc_free(&d->text);
}
