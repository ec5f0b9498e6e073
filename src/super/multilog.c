/* multilog: the actions, see multilog.h.  multilog_run.c reads the input. */
#include "super/multilog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/scan.h"
#include "base/tai64n.h"
#include "super/logmatch.h"

#define STATUS_SIZE (MULTILOG_LINE + 1)

/* --- the script --------------------------------------------------------------------------------- */

/* What s, n and ! have set for the directories that follow. */
struct settings {
  uint64_t size, keep;
  const char *processor;
  int nosync;
};

static int bad_action(const char *text, struct strerr *e) {
  strerr_set(e, "bad action ", text, (char *)0);
  e->permanent = 1;
  return -1;
}

static int number(const char *text, uint64_t min, uint64_t max, uint64_t *to, struct strerr *e) {
  uint64_t u;

  if (!scan_u64(text + 1, strlen(text + 1), &u)) return bad_action(text, e);
  *to = u < min ? min : u > max ? max : u;
  return 0;
}

static int add(struct multilog *m, enum action_kind kind, const char *text) {
  struct action *a = &m->action[m->actions++];

  a->kind = kind;
  a->text = text;
  return 0;
}

static int add_dir(struct multilog *m, const char *path, const struct settings *set, struct strerr *e) {
  struct logdir *d = calloc(1, sizeof *d);

  if (!d) return strerr_set(e, "out of memory", (char *)0);
  d->path = path;
  d->max = set->size;
  d->keep = set->keep;
  d->processor = set->processor;
  d->nosync = set->nosync;
  if (logdir_open(d, e) == -1) {
    free(d);
    return -1;
  }
  add(m, ACTION_DIR, path);
  m->action[m->actions - 1].dir = d;
  return 0;
}

static int parse(struct multilog *m, const char *text, struct settings *set, struct strerr *e) {
  switch (text[0]) {
    case '+': return add(m, ACTION_SELECT, text + 1);
    case '-': return add(m, ACTION_DESELECT, text + 1);
    case 'e': return text[1] ? bad_action(text, e) : add(m, ACTION_ALERT, text);
    case '=': return text[1] ? add(m, ACTION_STATUS, text + 1) : bad_action(text, e);
    case 's': return number(text, LOGDIR_SIZE_MIN, LOGDIR_SIZE_MAX, &set->size, e);
    case 'n': return number(text, LOGDIR_KEEP_MIN, UINT32_MAX, &set->keep, e);
    case '!': set->processor = text[1] ? text + 1 : 0; return 0;
    case '.':
    case '/': return add_dir(m, text, set, e);
    default: return bad_action(text, e);
  }
}

int multilog_open(struct multilog *m, char *const *actions, int nosync, struct strerr *e) {
  struct settings set = {LOGDIR_SIZE, LOGDIR_KEEP, 0, nosync};
  size_t n = 0;

  memset(m, 0, sizeof *m);
  while (actions[n]) ++n;
  m->action = calloc(n + 1, sizeof *m->action);
  if (!m->action) return strerr_set(e, "out of memory", (char *)0);
  for (size_t i = 0; i < n; ++i) {
    if (i == 0 && !strcmp(actions[i], "t")) m->stamp = 1;
    else if (parse(m, actions[i], &set, e) == -1) return -1;
  }
  return 0;
}

/* --- lines -------------------------------------------------------------------------------------- */

static void put(struct logdir *d, const char *s, size_t n) {
  while (logdir_put(d, s, n) == -1) {
    logdir_flush(d);
    strerr_warnm("multilog: warning: ", d->path, ": out of memory, pausing", (char *)0);
    sleep(1);
  }
}

static void alert(const char *s, size_t n) {
  char buf[MULTILOG_ALERT + 4];
  size_t len = n < MULTILOG_ALERT ? n : MULTILOG_ALERT;

  memcpy(buf, s, len);
  if (n > MULTILOG_ALERT) {
    memcpy(buf + len, "...", 3);
    len += 3;
  }
  buf[len++] = '\n';
  (void)!fd_write_all(2, buf, len);
}

/* Written in place and always of one size: for a glance, not for keeps. */
static void write_status(const char *path, const char *s, size_t n) {
  char buf[STATUS_SIZE];
  int fd = fd_open_trunc(path, 0644);

  memset(buf, '\n', sizeof buf);
  memcpy(buf, s, n);
  if (fd == -1 || fd_write_all(fd, buf, sizeof buf) == -1)
    strerr_warnm_sys("multilog: warning: ", "unable to write ", path, (char *)0);
  fd_close(fd);
}

static void decide(struct multilog *m) {
  int selected = 1;

  for (size_t i = 0; i < m->actions; ++i) {
    struct action *a = &m->action[i];

    switch (a->kind) {
      case ACTION_SELECT:
        if (!selected) selected = logmatch(a->text, m->line, m->len);
        break;
      case ACTION_DESELECT:
        if (selected) selected = !logmatch(a->text, m->line, m->len);
        break;
      case ACTION_ALERT:
        if (selected) alert(m->line, m->len);
        break;
      case ACTION_STATUS:
        if (selected) write_status(a->text, m->line, m->len);
        break;
      case ACTION_DIR:
        a->selected = selected;
        if (selected) put(a->dir, m->line, m->len);
    }
  }
  m->decided = 1;
}

static void begin_line(struct multilog *m) {
  struct tai64n now;

  m->len = 0;
  m->begun = 1;
  m->decided = 0;
  if (!m->stamp) return;
  tai64n_now(&now);
  tai64n_fmt(m->line, &now);
  m->line[TAI64N_TEXT] = ' ';
  m->len = TAI64N_TEXT + 1;
}

static void copy(struct multilog *m, const char *s, size_t n) {
  for (size_t i = 0; i < m->actions; ++i)
    if (m->action[i].kind == ACTION_DIR && m->action[i].selected) put(m->action[i].dir, s, n);
}

static void end_line(struct multilog *m) {
  if (!m->decided) decide(m);
  copy(m, "\n", 1);
  m->begun = 0;
}

/* Bytes of one line, without its LF. */
static void add_to_line(struct multilog *m, const char *s, size_t n) {
  if (!m->decided) {
    size_t part = sizeof m->line - m->len;

    if (part > n) part = n;
    memcpy(m->line + m->len, s, part);
    m->len += part;
    s += part;
    n -= part;
    /* Only when more follows: a line of just this size ends with it. */
    if (n) decide(m);
  }
  if (n) copy(m, s, n);
}

void multilog_feed(struct multilog *m, const char *s, size_t n) {
  while (n) {
    const char *lf = memchr(s, '\n', n);
    size_t len = lf ? (size_t)(lf - s) : n;

    if (!m->begun) begin_line(m);
    add_to_line(m, s, len);
    s += len;
    n -= len;
    if (!lf) return;
    end_line(m);
    ++s;
    --n;
  }
}

static void each_dir(struct multilog *m, void (*fn)(struct logdir *d)) {
  for (size_t i = 0; i < m->actions; ++i)
    if (m->action[i].kind == ACTION_DIR) fn(m->action[i].dir);
}

void multilog_flush(struct multilog *m) {
  each_dir(m, logdir_flush);
}

void multilog_rotate(struct multilog *m) {
  each_dir(m, logdir_rotate);
}

void multilog_reap(struct multilog *m) {
  each_dir(m, logdir_reap);
}

void multilog_close(struct multilog *m) {
  if (m->begun) end_line(m);
  each_dir(m, logdir_close);
  for (size_t i = 0; i < m->actions; ++i) free(m->action[i].dir);
  free(m->action);
  memset(m, 0, sizeof *m);
}
