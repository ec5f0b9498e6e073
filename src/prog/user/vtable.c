/* vtable: makes tables of the administrator's own in the user database, from templates. */
#include <string.h>

#include "base/file.h"
#include "base/options.h"
#include "sql/sql_table.h"
#include "user/site.h"

#define FATAL "vtable: fatal: "
#define USAGE "vtable [-v] template ..."
#define SERVER (void *)(uintptr_t)"the database is the site's, or the one that the variables MYSQL_HOST and MYSQL_DATABASE name"
#define TEMPLATE_MAX 65536

static int verbose;

/* 1 it is made, 0 it was there. */
static int make(struct site *s, const char *file, const struct sql_table *t) {
  struct strerr e;

  switch (sql_table_make(&s->db.sql, t, &e)) {
    case SQL_NONE:
      if (verbose) strerr_warnm("vtable: made the table of ", file, (char *)0);
      return 1;
    case SQL_EXISTS: strerr_warnm("vtable: ", file, ": there is a table of that name", (char *)0); return 0;
    case SQL_ROW:
    case SQL_TEMPFAIL: break;
  }
  strerr_diem(site_code(&e), FATAL, file, ": ", e.text, (char *)0);
}

/* The texts of all, and a look at each: a fault in the last leaves nothing half done. */
static void read_all(char **files, struct strlist *texts) {
  stralloc text = STRALLOC_INIT;
  struct sql_table t;
  const char *why;

  for (; *files; ++files) {
    switch (file_read(*files, &text, TEMPLATE_MAX)) {
      case 1: break;
      case 0: strerr_diem(100, FATAL, *files, ": there is no such file", (char *)0);
      default: strerr_diem_sys(111, FATAL, "unable to read ", *files, (char *)0);
    }
    why = sql_table_parse(stralloc_cstr(&text), text.len, &t);
    if (why) strerr_diem(100, FATAL, *files, ": ", why, (char *)0);
    if (!strlist_add(texts, text.s, text.len)) strerr_die_nomem(FATAL);
  }
  stralloc_free(&text);
}

int main(int argc, char **argv) {
  const struct option options[] = {
      {'v', OPTION_COUNT, &verbose, 0}, {'S', OPTION_REFUSED, SERVER, 0}, {'p', OPTION_REFUSED, SERVER, 0}, {'s', OPTION_REFUSED, SERVER, 0},
      {'D', OPTION_REFUSED, SERVER, 0}, {'U', OPTION_REFUSED, SERVER, 0}, {'P', OPTION_REFUSED, SERVER, 0}, {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 1, -1);
  struct strlist texts = {0};
  struct sql_table t;
  struct site s;
  struct strerr e;
  int all = 1;

  read_all(argv + i, &texts);
  if (site_load(&s, &e) == -1 || site_open_db(&s, 0, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  for (size_t k = 0; k < texts.len; ++k)
    if (!sql_table_parse(texts.item[k].s, texts.item[k].len, &t)) all &= make(&s, argv[i + (int)k], &t);
  strlist_free(&texts);
  site_close(&s);
  return !all;
}
