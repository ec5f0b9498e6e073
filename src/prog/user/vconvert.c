/* vconvert: moves the user database of a site from SQLite to MariaDB, or back. */
#include <string.h>
#include <unistd.h>

#include "base/options.h"
#include "base/substdio.h"
#include "sql/sql_copy.h"
#include "user/site.h"

#define FATAL "vconvert: fatal: "
#define USAGE "vconvert [-n] sqlite mysql | vconvert [-n] mysql sqlite"

static char outbuf[1024];
static substdio out;

static void put(const char *a, const char *b, uint64_t rows, const char *c) {
  stralloc line = STRALLOC_INIT;

  if (!stralloc_catm(&line, a, b, ": ", (char *)0) || !stralloc_catu64(&line, rows) || !stralloc_cats(&line, c)) strerr_die_nomem(FATAL);
  if (substdio_put(&out, line.s, line.len) == -1 || substdio_flush(&out) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  stralloc_free(&line);
}

/* On a terminal the line of a table grows while it is copied. */
static void progress(void *ctx, const char *table, uint64_t rows, int last) {
  const int *terminal = ctx;

  if (last) put(*terminal ? "\r" : "", table, rows, rows == 1 ? " row, compared\n" : " rows, compared\n");
  else if (*terminal) put("\r", table, rows, " ...");
}

/* What root has to do before he is the mail user. */
static void make_directory(const struct site *s, const char *engine) {
  struct userdb_place place;
  struct strerr e;
  int r = userdb_place_named(&place, &s->conf, engine, &e);

  if (r == 0) r = site_make_directory(s, &place, &e);
  if (r == -1) strerr_die(site_code(&e), FATAL, &e);
  userdb_place_free(&place);
}

static void open_place(struct site *s, const char *engine, struct userdb *db, unsigned flags) {
  struct userdb_place place;
  struct strerr e;
  int r = userdb_place_named(&place, &s->conf, engine, &e);

  if (r == 0 && userdb_open(db, &place, SQL_PATIENT | SQL_MIGRATE | flags, &e) == -1) r = -1;
  if (r == -1) strerr_die(site_code(&e), FATAL, &e);
  userdb_place_free(&place);
}

int main(int argc, char **argv) {
  struct site s;
  struct userdb from, to;
  struct sql_copy how = {.progress = progress};
  struct strerr e;
  int terminal = isatty(1);
  const struct option options[] = {{'n', OPTION_FLAG, &how.dry, 1}, {0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 2, 2);

  for (int k = i; k < i + 2; ++k)
    if (strcmp(argv[k], "sqlite") != 0 && strcmp(argv[k], "mysql") != 0) strerr_die_usage(USAGE);
  if (!strcmp(argv[i], argv[i + 1])) strerr_die_usage(USAGE);
  how.ctx = &terminal;
  substdio_initfd_write(&out, 1, outbuf, sizeof outbuf);
  if (site_load(&s, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  make_directory(&s, argv[i + 1]);
  if (identity_become(&s.mail, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  open_place(&s, argv[i], &from, 0);
  open_place(&s, argv[i + 1], &to, SQL_CREATE);
  if (sql_copy_all(&from.sql, &to.sql, &how, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  userdb_close(&from);
  userdb_close(&to);
  site_close(&s);
  return 0;
}
