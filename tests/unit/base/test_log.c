/* Every log line, filled with the worst that can come from outside: it is one line, has one
 * reading, by its own template, and the reading gives back what was put in. */
#include "base/log.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define FIELDS 16

static const char *const hostile[] = {
    "plain",
    "",
    "a\nqmail-smtpd: 192.0.2.1 1 auth PLAIN joe",
    "x> recipient <y> id 1.1",
    "x>\trecipient\r\n<y@z>%0a",
    "1 2 3: 4/5] need 6 secs",
    " lead and trail ",
    "\x7f\x80\xff\x1b[2J\xe2\x80\xa8",
    "{u:pid} %s %n",
    "success: - queue1 id 1.1",
    "alert: 192.0.2.1 3 authfail LOGIN root",
};
#define HOSTILE (sizeof hostile / sizeof *hostile)

struct reading {
  const char *at[FIELDS];
  size_t n[FIELDS];
};

static int may_hold(char kind, char c) {
  if (kind == 'u') return isdigit((unsigned char)c) != 0;
  if (kind == 'i') return isdigit((unsigned char)c) || c == '-';
  if (kind == 'x') return c > ' ' && c < 127;
  if (kind == 's') return c > ' ' && c < 127 && c != '/';
  return c >= ' ' && c < 127;
}

static int is_note(const char *s, size_t n) {
  static const char *const notes[] = {"", " (held)", " exitasap"};

  for (size_t i = 0; i < sizeof notes / sizeof *notes; ++i)
    if (strlen(notes[i]) == n && !memcmp(notes[i], s, n)) return 1;
  return 0;
}

/* In how many ways line[0..n-1] is what the template says; the last one found is left in r. */
static unsigned readings(const char *t, const char *line, size_t n, size_t field, struct reading *r) {
  unsigned ways = 0;
  char kind;

  for (; *t && *t != '{'; ++t, ++line, --n)
    if (!n || *t != *line) return 0;
  if (!*t) return n == 0;
  kind = t[1];
  t = strchr(t, '}') + 1;
  for (size_t len = 0; len <= n; ++len) {
    struct reading more = *r;
    unsigned found;

    if (len && !may_hold(kind, line[len - 1])) break;
    if (!len && (kind == 'u' || kind == 'i')) continue;
    if (kind == 'p' && !is_note(line, len)) continue;
    more.at[field] = line;
    more.n[field] = len;
    found = readings(t, line + len, n - len, field + 1, &more);
    if (found) *r = more;
    ways += found;
  }
  return ways;
}

/* As qmail-log(5) says. */
static size_t escaped(char *out, char kind, const char *s) {
  size_t n = 0;

  for (; *s; ++s) {
    unsigned char c = (unsigned char)*s;

    out[n++] = c == '\n' ? '/' : kind == 't' && c == ' ' ? ' ' : c <= ' ' || c > 126 || c == '%' ? '_' : (char)c;
  }
  return n;
}

/* Texts of ours are words, and no outsider has a say in them. */
static size_t fill(enum log_event event, struct log_arg *arg, char *kinds, size_t turn) {
  size_t n = 0;

  for (const char *t = log_rows[event].template; (t = strchr(t, '{')) != 0; ++t, ++n) {
    kinds[n] = t[1];
    if (t[1] == 'u' || t[1] == 'i') arg[n] = log_u(turn * 7 + n);
    else if (t[1] == 'p') arg[n] = log_s(turn % 2 ? " (held)" : "");
    else arg[n] = log_s(t[1] == 's' ? "word" : hostile[(turn + n * (1 + turn / HOSTILE)) % HOSTILE]);
  }
  return n;
}

static void one_line(enum log_event event, size_t turn) {
  struct log_arg arg[FIELDS];
  char kinds[FIELDS], line[PIPE_BUF + 1], want[PIPE_BUF];
  struct reading r = {{0}, {0}}, other = {{0}, {0}};
  const char *name = log_rows[event].name;
  size_t args = fill(event, arg, kinds, turn);
  size_t n = log_format(line, PIPE_BUF, event, arg, args);

  line[n] = 0;
  CHECK_CASE(!memchr(line, '\n', n) && !memchr(line, '\r', n) && !memchr(line, 0, n), name);
  CHECK_CASE(readings(log_rows[event].template, line, n, 0, &r) == 1, name);
  for (size_t i = 0; i < args; ++i) {
    if (kinds[i] == 'p') continue;
    if (kinds[i] == 'u' || kinds[i] == 'i') CHECK_CASE(r.at[i] && strtoull(r.at[i], 0, 10) == arg[i].u, name);
    else CHECK_CASE(r.n[i] == escaped(want, kinds[i], arg[i].s) && !memcmp(want, r.at[i], r.n[i]), name);
  }
  for (int j = 0; j < LOG_EVENTS; ++j)
    CHECK_CASE(j == (int)event || !readings(log_rows[j].template, line, n, 0, &other), name);
}

/* Text that does not fit is cut, and every other field is there. */
static void too_long(enum log_event event) {
  static char big[3 * PIPE_BUF];
  struct log_arg arg[FIELDS];
  char kinds[FIELDS], line[PIPE_BUF];
  struct reading r = {{0}, {0}};
  const char *name = log_rows[event].name;
  size_t args = fill(event, arg, kinds, 1), n;

  memset(big, 'b', sizeof big - 1);
  for (size_t i = 0; i < args; ++i)
    if (kinds[i] == 'x' || kinds[i] == 't') arg[i].s = big;
  n = log_format(line, sizeof line, event, arg, args);
  CHECK_CASE(n <= sizeof line && readings(log_rows[event].template, line, n, 0, &r) == 1, name);
  for (size_t i = 0; i < args; ++i)
    if (kinds[i] == 's') CHECK_CASE(r.n[i] == 4, name);
}

static void own_text(void) {
  const struct log_arg arg[] = {log_u(1), log_s("queue\n1\r\x7f two")};
  char line[100];
  size_t n = log_format(line, sizeof line, LOG_new_msg, arg, 2);

  CHECK(n == strlen("new msg 1 queue_1___two") && !memcmp(line, "new msg 1 queue_1___two", n));
}

static void version(void) {
  char wanted[64];
  static const char *const files[] = {"src/base/events.def", "man/man5/qmail-log.5"};

  snprintf(wanted, sizeof wanted, "is version %d of the grammar", LOG_GRAMMAR);
  for (size_t i = 0; i < sizeof files / sizeof *files; ++i) {
    static char text[65536];
    FILE *f = fopen(files[i], "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

    text[n] = 0;
    CHECK_CASE(strstr(text, wanted) != 0, files[i]);
    if (f) fclose(f);
  }
}

int main(void) {
  for (int event = 0; event < LOG_EVENTS; ++event) {
    for (size_t turn = 0; turn < HOSTILE * 3; ++turn) one_line((enum log_event)event, turn);
    too_long((enum log_event)event);
  }
  own_text();
  version();
  return check_done();
}
