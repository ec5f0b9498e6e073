/* install_tables: makes the user database and its tables, brings them up to date, checks them; and fills them
 * from another installation. */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/options.h"
#include "base/substdio.h"
#include "user/import.h"
#include "user/site.h"

#define FATAL "install_tables: fatal: "
#define USAGE                                                                                                               \
  "install_tables [-c] | install_tables -i file [-nkpv] [-D database] [-a assign] [-F new|old] [-l headerlist]" \
  " | install_tables -t assign [-nkpv]"
#define PLACE_MAX 4096

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

static char outbuf[512];
static substdio out;

static void print(const char *before, const char *text) {
  if (substdio_puts(&out, before) == -1 || substdio_puts(&out, ": ") == -1 || substdio_puts(&out, text) == -1 || substdio_puts(&out, "\n") == -1 ||
      substdio_flush(&out) == -1)
    strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
}

static void install(struct site *s, int check) {
  stralloc text = STRALLOC_INIT;
  struct strerr e;

  if (site_open_db(s, !check, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  if (check_queries(&s->db.sql, &e) == -1 || check_engine(&s->db.sql, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  if (!stralloc_cats(&text, "all tables are there, release ") ||
      !stralloc_catu64(&text, (uint64_t)sql_migrations[sql_migration_count - 1].number))
    strerr_die_nomem(FATAL);
  print(s->place.driver->name, stralloc_cstr(&text));
  stralloc_free(&text);
}

/* --- from another installation */

static void told(void *ctx, const char *table, const char *row, const char *finding, int left) {
  const struct import *im = ctx;

  progress_clear(im->progress);
  strerr_warnm("install_tables: ", table, ": ", row, left ? ": not taken: " : ": ", finding, (char *)0);
}

static void put_number(stralloc *text, const char *before, uint64_t n, const char *behind) {
  if (!stralloc_cats(text, before) || !stralloc_catu64(text, n) || !stralloc_cats(text, behind)) strerr_die_nomem(FATAL);
}

static void counted(void *ctx, const char *table, const struct import_count *c) {
  const struct import *im = ctx;
  stralloc text = STRALLOC_INIT;

  put_number(&text, "", c->taken, " taken, ");
  put_number(&text, "", c->there, " there before, ");
  put_number(&text, "", c->left, " not taken");
  progress_clear(im->progress);
  print(table, text.s);
  stralloc_free(&text);
}

/* Where the old database is: the first line of a file that nobody else can read, as it has a password. */
static void read_place(const char *file, stralloc *host) {
  int r = file_read(file, host, PLACE_MAX);

  if (r == 0) errno = ENOENT;
  if (r != 1) strerr_diem_sys(111, FATAL, "unable to read ", file, (char *)0);
  stralloc_cut(host, strcspn(stralloc_cstr(host), "\n"));
  stralloc_chomp(host);
}

/* How many rows were left. */
static uint64_t import(struct site *s, struct import *im, const char *place, const char *database) {
  struct progress progress = {.on = 0};
  struct userdb_place old = {.driver = 0};
  stralloc host = STRALLOC_INIT, text = STRALLOC_INIT;
  struct strerr e;
  int r = 0;

  im->progress = &progress;
  im->told = told;
  im->counted = counted;
  im->ctx = im;
  if (place) {
    read_place(place, &host);
    r = userdb_place_old(&old, &s->conf, stralloc_cstr(&host), database, &e);
    if (r == 0) r = import_mysql(s, im, old.where.s, &e);
  } else {
    r = import_tree(s, im, &e);
  }
  if (r == -1) strerr_die(site_code(&e), FATAL, &e);
  put_number(&text, "", im->homes, " there, ");
  put_number(&text, "", im->homeless, " not there yet");
  print("mailboxes", text.s);
  if (im->dry) print("dry run", "nothing was changed");
  stralloc_wipe(&host);
  stralloc_free(&text);
  userdb_place_free(&old);
  return im->left;
}

static enum import_numbering numbering(const char *name) {
  if (!strcmp(name, "new")) return IMPORT_NUMBERING_NEW;
  if (strcmp(name, "old") != 0) strerr_die_usage(USAGE);
  return IMPORT_NUMBERING_OLD;
}

int main(int argc, char **argv) {
  struct site s;
  struct strerr e;
  struct import im = {.dry = 0};
  const char *place = 0, *tree = 0, *database = "indimail", *flags = 0;
  uint64_t left = 0;
  int check = 0;
  const struct option options[] = {
      {'c', OPTION_FLAG, &check, 1},         {'i', OPTION_STRING, &place, 0},   {'t', OPTION_STRING, &tree, 0},       {'n', OPTION_FLAG, &im.dry, 1},
      {'k', OPTION_FLAG, &im.rows_only, 1},  {'p', OPTION_FLAG, &im.clear, 1},  {'v', OPTION_FLAG, &im.verbose, 1},   {'D', OPTION_STRING, &database, 0},
      {'a', OPTION_STRING, &im.assign, 0},   {'F', OPTION_STRING, &flags, 0},   {'l', OPTION_STRING, &im.headers, 0}, {0, OPTION_FLAG, 0, 0},
  };

  options_or_die(argc, argv, options, USAGE, 0, 0);
  if (check + !!place + !!tree > 1 || (tree && (im.assign || flags || im.headers))) strerr_die_usage(USAGE);
  if (flags) im.numbering = numbering(flags);
  if (tree) im.assign = tree;
  substdio_initfd_write(&out, 1, outbuf, sizeof outbuf);
  if (site_load(&s, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  if (place || tree) left = import(&s, &im, place, database);
  else install(&s, check);
  site_close(&s);
  return left ? 1 : 0;
}
