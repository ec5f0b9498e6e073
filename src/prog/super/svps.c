/* svps: a table of all services below the service directory. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/now.h"
#include "base/options.h"
#include "base/strlist.h"
#include "base/substdio.h"
#include "conf/paths.h"
#include "super/svstate.h"

#define FATAL "svps: fatal: "
#define USAGE "svps [-amlh] [--servicedir=dir]"

#define COLUMN_STATE 10
#define COLUMN_PID 8
#define COLUMN_TIME 14

static void put(substdio *out, const char *s, size_t n, size_t width) {
  int r = substdio_put(out, s, n);

  for (; n < width && r == 0; ++n) r = substdio_putlit(out, " ");
  if (r == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
}

static void puts_wide(substdio *out, const char *s, size_t width) {
  put(out, s, strlen(s), width);
}

static const char *state_name(const struct svstatus *st) {
  switch (svstatus_state(st)) {
    case SVSTATE_UP: return st->up ? "up" : "init";
    case SVSTATE_DOWN: return "down";
    case SVSTATE_UNSUPERVISED: return "-";
    case SVSTATE_PAUSED: return "paused";
    case SVSTATE_WANT_UP: return "starting";
    case SVSTATE_WANT_DOWN: return "stopping";
    case SVSTATE_WAITING: return "waiting";
  }
  return "?";
}

/* 3d 04:05:06 */
static size_t fmt_age(char buf[64], int64_t age) {
  uint64_t s = age > 0 ? (uint64_t)age : 0;
  size_t n = 0;

  if (s >= 86400) {
    n += fmt_u64(buf, s / 86400);
    buf[n++] = 'd';
    buf[n++] = ' ';
  }
  n += fmt_u64_pad(buf + n, s / 3600 % 24, 2);
  buf[n++] = ':';
  n += fmt_u64_pad(buf + n, s / 60 % 60, 2);
  buf[n++] = ':';
  return n + fmt_u64_pad(buf + n, s % 60, 2);
}

static void put_service(substdio *out, const char *path, const char *name) {
  struct svstatus st;
  struct strerr e;
  char buf[64];
  int ok = sv_ok(path, &e);

  if (ok == 1 && sv_status(path, &st, &e) == 1) {
    puts_wide(out, state_name(&st), COLUMN_STATE);
    if (st.pid) put(out, buf, fmt_u64(buf, st.pid), COLUMN_PID);
    else puts_wide(out, "-", COLUMN_PID);
    put(out, buf, fmt_age(buf, wall_now() - tai64n_to_unix(&st.since)), COLUMN_TIME);
  } else {
    puts_wide(out, ok == 0 ? "off" : "unknown", COLUMN_STATE);
    puts_wide(out, "-", COLUMN_PID);
    puts_wide(out, "-", COLUMN_TIME);
  }
  puts_wide(out, name, 0);
  puts_wide(out, "\n", 0);
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const stralloc *)a)->s, ((const stralloc *)b)->s);
}

static void add(struct strlist *l, const char *name, const char *below) {
  stralloc s = STRALLOC_INIT;

  if (!stralloc_catm(&s, name, below, (char *)0) || !strlist_add(l, s.s, s.len)) strerr_die_nomem(FATAL);
  stralloc_free(&s);
}

/* Directories with a run in them or in their log. */
static void read_services(const char *dir, int mains, int logs, struct strlist *l) {
  stralloc path = STRALLOC_INIT;
  DIR *d = opendir(dir);
  struct dirent *entry;

  if (!d) strerr_diem_sys(111, FATAL, "unable to read ", dir, (char *)0);
  while ((entry = readdir(d)) != 0) {
    if (entry->d_name[0] == '.' && strcmp(entry->d_name, ".svscan")) continue;
    stralloc_cut(&path, 0);
    if (!stralloc_catm(&path, dir, "/", entry->d_name, (char *)0)) strerr_die_nomem(FATAL);
    if (mains && entry->d_name[0] != '.' && sv_has(path.s, "run") == 1) add(l, entry->d_name, "");
    if (logs && sv_has(path.s, "log/run") == 1) add(l, entry->d_name, "/log");
  }
  closedir(d);
  stralloc_free(&path);
  if (l->len) qsort(l->item, l->len, sizeof *l->item, by_name);
}

/* The one long option, wherever it stands; the others close up. */
static int take_dir(int argc, char **argv, stralloc *dir) {
  static const char name[] = "--servicedir=";
  int n = 1;

  for (int i = 1; i < argc; ++i) {
    if (strncmp(argv[i], name, sizeof name - 1)) argv[n++] = argv[i];
    else if (!stralloc_copys(dir, argv[i] + sizeof name - 1)) strerr_die_nomem(FATAL);
  }
  argv[n] = 0;
  return n;
}

int main(int argc, char **argv) {
  int all = 0, mains = 0, logs = 0, no_head = 0;
  const struct option table[] = {
      {'a', OPTION_FLAG, &all, 1},
      {'m', OPTION_FLAG, &mains, 1},
      {'l', OPTION_FLAG, &logs, 1},
      {'h', OPTION_FLAG, &no_head, 1},
      {0, OPTION_FLAG, 0, 0},
  };
  char buf[SUBSTDIO_SIZE];
  substdio out;
  stralloc dir = STRALLOC_INIT, path = STRALLOC_INIT;
  struct strlist l = {0, 0, 0};

  if (!paths_get(PATH_SERVICE, &dir)) strerr_die_nomem(FATAL);
  argc = take_dir(argc, argv, &dir);
  options_or_die(argc, argv, table, USAGE, 0, 0);
  read_services(stralloc_cstr(&dir), all || mains || !logs, all || logs, &l);
  substdio_initfd_write(&out, 1, buf, sizeof buf);
  if (!no_head) puts_wide(&out, "STATE     PID     TIME          SERVICE\n", 0);
  for (size_t i = 0; i < l.len; ++i) {
    stralloc_cut(&path, 0);
    if (!stralloc_catm(&path, stralloc_cstr(&dir), "/", l.item[i].s, (char *)0)) strerr_die_nomem(FATAL);
    put_service(&out, path.s, l.item[i].s);
  }
  if (substdio_flush(&out) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  return 0;
}
