/* install_tables: makes the user database and its tables, brings them up to date, checks them. */
#include "base/options.h"
#include "base/substdio.h"
#include "user/site.h"

#define FATAL "install_tables: fatal: "
#define USAGE "install_tables [-c]"

/* Every query there is can be run on it: no table and no column is missing. */
static int check_queries(struct sql *s, struct strerr *e) {
  for (int q = 0; q < QUERIES; ++q) {
    void *statement;

    if (s->driver->prepare(s->conn, &sql_queries[q], &statement, e) == -1) return -1;
    s->driver->finalize(statement);
  }
  return 0;
}

/* What the engine itself finds wrong, a line each. */
static int check_engine(struct sql *s, struct strerr *e) {
  enum sql_verdict v = sql_start(s, QUERY_integrity, 0, 0, e);
  stralloc faults = STRALLOC_INIT;
  size_t n;
  int r = 0;

  for (; v == SQL_ROW; v = sql_next(s, QUERY_integrity, e)) {
    const char *text = sql_text(s, QUERY_integrity, 0, &n);

    if (n == 2 && text[0] == 'o' && text[1] == 'k') continue;
    if (!stralloc_cats(&faults, faults.len ? "; " : "") || !stralloc_catb(&faults, text, n)) break;
  }
  sql_end(s, QUERY_integrity);
  if (faults.len) r = strerr_set(e, "the user database is damaged: ", faults.s, (char *)0);
  stralloc_free(&faults);
  return v == SQL_NONE ? r : -1;
}

static void print(const struct site *s, const char *text) {
  char buf[512];
  substdio out;

  substdio_initfd_write(&out, 1, buf, sizeof buf);
  if (substdio_puts(&out, s->place.driver->name) == -1 || substdio_puts(&out, ": ") == -1 || substdio_puts(&out, text) == -1 ||
      substdio_puts(&out, "\n") == -1 || substdio_flush(&out) == -1)
    strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
}

int main(int argc, char **argv) {
  struct site s;
  struct strerr e;
  stralloc text = STRALLOC_INIT;
  int check = 0;
  const struct option options[] = {{'c', OPTION_FLAG, &check, 1}, {0, OPTION_FLAG, 0, 0}};

  options_or_die(argc, argv, options, USAGE, 0, 0);
  if (site_load(&s, &e) == -1 || site_open_db(&s, !check, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  if (check_queries(&s.db.sql, &e) == -1 || check_engine(&s.db.sql, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  if (!stralloc_cats(&text, "all tables are there, release ") ||
      !stralloc_catu64(&text, (uint64_t)sql_migrations[sql_migration_count - 1].number))
    strerr_die_nomem(FATAL);
  print(&s, stralloc_cstr(&text));
  site_close(&s);
  return 0;
}
