/* date: see date.h. */
#include "mail/date.h"

#include <string.h>
#include <time.h>

#include "base/fmt.h"

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

static size_t put(char *buf, size_t n, const char *s) {
  size_t len = strlen(s);

  memcpy(buf + n, s, len + 1);
  return n + len;
}

static size_t put_clock(char *buf, size_t n, const struct tm *tm) {
  n += fmt_u64_pad(buf + n, (uint64_t)tm->tm_hour, 2);
  buf[n++] = ':';
  n += fmt_u64_pad(buf + n, (uint64_t)tm->tm_min, 2);
  buf[n++] = ':';
  return n + fmt_u64_pad(buf + n, (uint64_t)tm->tm_sec, 2);
}

/* Years are kept to four digits so that the buffer always suffices. */
static void split(int64_t unix_time, struct tm *tm) {
  time_t t = unix_time < 0 ? 0 : unix_time > INT64_C(253402300799) ? INT64_C(253402300799) : unix_time;

  gmtime_r(&t, tm);
}

size_t date_fmt(char buf[DATE_TEXT], int64_t unix_time, const char *zone) {
  struct tm tm;
  size_t n;

  split(unix_time, &tm);
  n = fmt_u64(buf, (uint64_t)tm.tm_mday);
  n = put(buf, n, " ");
  n = put(buf, n, months[tm.tm_mon]);
  n = put(buf, n, " ");
  n += fmt_u64(buf + n, (uint64_t)tm.tm_year + 1900);
  n = put(buf, n, " ");
  n = put_clock(buf, n, &tm);
  n = put(buf, n, " ");
  return put(buf, n, zone);
}

size_t date_fmt_mbox(char buf[DATE_TEXT], int64_t unix_time) {
  struct tm tm;
  size_t n;

  split(unix_time, &tm);
  n = put(buf, 0, days[tm.tm_wday]);
  n = put(buf, n, " ");
  n = put(buf, n, months[tm.tm_mon]);
  n = put(buf, n, " ");
  n += fmt_u64_pad(buf + n, (uint64_t)tm.tm_mday, 2);
  n = put(buf, n, " ");
  n = put_clock(buf, n, &tm);
  n = put(buf, n, " ");
  n += fmt_u64(buf + n, (uint64_t)tm.tm_year + 1900);
  buf[n] = 0;
  return n;
}
