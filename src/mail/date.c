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

/* Days from 1970 to the start of a year. */
static int64_t days_to(int64_t year) {
  int64_t y = year - 1;

  return 365 * (year - 1970) + (y / 4 - y / 100 + y / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
}

/* Years are kept to four digits so that the buffer always suffices.  gmtime() would read the file of the
 * local time zone, of which there is nothing in the result. */
static void split(int64_t unix_time, struct tm *tm) {
  static const int month_days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int64_t t = unix_time < 0 ? 0 : unix_time > INT64_C(253402300799) ? INT64_C(253402300799) : unix_time;
  int64_t day = t / 86400, second = t % 86400;
  int64_t year = 1970 + day / 366;
  int left, leap;

  while (days_to(year + 1) <= day) ++year;
  left = (int)(day - days_to(year));
  leap = days_to(year + 1) - days_to(year) == 366;
  memset(tm, 0, sizeof *tm);
  tm->tm_year = (int)year - 1900;
  tm->tm_wday = (int)((day + 4) % 7); /* 1 January 1970 was a Thursday */
  while (left >= month_days[tm->tm_mon] + (leap && tm->tm_mon == 1)) {
    left -= month_days[tm->tm_mon] + (leap && tm->tm_mon == 1);
    ++tm->tm_mon;
  }
  tm->tm_mday = left + 1;
  tm->tm_hour = (int)(second / 3600);
  tm->tm_min = (int)(second / 60 % 60);
  tm->tm_sec = (int)(second % 60);
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

void date_fmt_3339(char out[DATE_3339], int64_t when) {
  struct tm tm;
  size_t n;

  split(when, &tm);
  n = fmt_u64_pad(out, (uint64_t)tm.tm_year + 1900, 4);
  n = put(out, n, "-");
  n += fmt_u64_pad(out + n, (uint64_t)tm.tm_mon + 1, 2);
  n = put(out, n, "-");
  n += fmt_u64_pad(out + n, (uint64_t)tm.tm_mday, 2);
  n = put(out, n, "T");
  n = put_clock(out, n, &tm);
  put(out, n, "Z");
}

/* Digits where the form has a 0, letters of any case, all else as it is. */
static int has_form(const char *s, const char *form) {
  for (; *form; ++form, ++s)
    if (*form == '0' ? *s < '0' || *s > '9' : (*s | 32) != (*form | 32)) return 0;
  return 1;
}

static int number(const char *s, size_t digits) {
  int n = 0;

  while (digits--) n = n * 10 + (*s++ - '0');
  return n;
}

/* "Z", "+01:00" or "-01:00", all there is: 1 with the seconds east of Greenwich, or 0. */
static int scan_zone(const char *s, size_t n, int64_t *east) {
  int hours, minutes;

  *east = 0;
  if (n == 1) return (*s | 32) == 'z';
  if (n != 6 || (*s != '+' && *s != '-') || !has_form(s + 1, "00:00")) return 0;
  hours = number(s + 1, 2);
  minutes = number(s + 4, 2);
  *east = (hours * 60 + minutes) * (*s == '-' ? -60 : 60);
  return hours < 24 && minutes < 60;
}

int date_scan_3339(const char *s, size_t n, uint64_t *when) {
  static const char form[] = "0000-00-00T00:00:00";
  size_t at = sizeof form - 1;
  struct tm tm = {0}, again;
  int64_t east;
  time_t t;

  if (n <= at || !has_form(s, form)) return 0;
  tm.tm_year = number(s, 4) - 1900;
  tm.tm_mon = number(s + 5, 2) - 1;
  tm.tm_mday = number(s + 8, 2);
  tm.tm_hour = number(s + 11, 2);
  tm.tm_min = number(s + 14, 2);
  tm.tm_sec = number(s + 17, 2);
  if (tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60) return 0;
  again = tm;
  again.tm_sec = 0; /* a leap second is in the next minute */
  t = timegm(&again); /* which makes the 1st of March of the 30th of February */
  if (again.tm_mon != tm.tm_mon || again.tm_mday != tm.tm_mday) return 0;
  t += tm.tm_sec;
  if (s[at] == '.') {
    while (++at < n && s[at] >= '0' && s[at] <= '9') {
    }
    if (s[at - 1] == '.') return 0;
  }
  if (at >= n || !scan_zone(s + at, n - at, &east) || t - east < 0) return 0;
  *when = (uint64_t)(t - east);
  return 1;
}
