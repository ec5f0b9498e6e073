/* sql_table: see sql_table.h. */
#include "sql/sql_table.h"

#include <errno.h>
#include <string.h>

#define NAME_MAX_BYTES 64

static int is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int is_name(char c, int first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

/* Columns: one pair of parentheses around it all, balanced, and nothing that could end the statement. */
static const char *columns_fault(const char *s, size_t n) {
  size_t depth = 0;
  char quote = 0;

  if (!n || s[0] != '(') return "columns in parentheses are wanted behind the name";
  for (size_t i = 0; i < n; ++i) {
    char c = s[i];

    if (!c) return "it has a byte 0";
    if (c == '\\') return "a backslash is not taken, in which the databases differ";
    if (quote) {
      if (c == quote) quote = 0;
      continue;
    }
    if (c == '\'' || c == '"' || c == '`') quote = c;
    if (c == ';' || c == '#' || (i + 1 < n && ((c == '-' && s[i + 1] == '-') || (c == '/' && s[i + 1] == '*'))))
      return "it has a semicolon or a comment";
    depth += c == '(';
    if (c == ')' && --depth == 0 && i + 1 < n) return "there is something behind the columns";
  }
  if (quote) return "a quote is not closed";
  return depth ? "a parenthesis is not closed" : 0;
}

const char *sql_table_parse(const char *s, size_t n, struct sql_table *t) {
  size_t i = 0;

  while (n && is_blank(s[n - 1])) --n;
  while (n && is_blank(*s)) ++s, --n;
  while (i < n && is_name(s[i], i == 0)) ++i;
  if (!i || i > NAME_MAX_BYTES) return "the name of a table is wanted first: letters, digits and _, at most 64";
  t->name = s;
  t->namen = i;
  while (i < n && is_blank(s[i])) ++i;
  t->columns = s + i;
  t->columnsn = n - i;
  return columns_fault(t->columns, t->columnsn);
}

/* Is there a table or view of that name? */
static enum sql_verdict exists(struct sql *s, const struct sql_table *t, struct strerr *e) {
  enum sql_verdict v = sql_start(s, QUERY_table_exists, SQL_ARGS(sql_tn(t->name, t->namen)), e);

  sql_end(s, QUERY_table_exists);
  return v;
}

/* The database has refused the text, or is gone: in the one case it still answers. */
static enum sql_verdict refused(struct sql *s, const struct sql_table *t, struct strerr *e) {
  struct strerr other;
  enum sql_verdict v = exists(s, t, &other);

  if (v == SQL_ROW) return SQL_EXISTS; /* another was faster */
  e->permanent = v == SQL_NONE;
  return SQL_TEMPFAIL;
}

enum sql_verdict sql_table_make(struct sql *s, const struct sql_table *t, struct strerr *e) {
  stralloc text = STRALLOC_INIT;
  struct sql_query_row row = {"the columns", 0, 0, "", ""};
  enum sql_verdict v = exists(s, t, e);
  void *stmt;

  if (v != SQL_NONE) return v == SQL_ROW ? SQL_EXISTS : SQL_TEMPFAIL;
  if (!stralloc_cats(&text, SQL_MAKE_TABLE) || !stralloc_catb(&text, t->name, t->namen) || !stralloc_append(&text, ' ') ||
      !stralloc_catb(&text, t->columns, t->columnsn)) {
    errno = ENOMEM;
    strerr_sys(e, "unable to make a table", (char *)0);
    v = SQL_TEMPFAIL;
  } else {
    row.sql = text.s;
    if (s->driver->prepare(s->conn, &row, &stmt, e) == -1) {
      v = refused(s, t, e);
    } else {
      v = s->driver->step(s->conn, stmt, e);
      s->driver->finalize(stmt);
      if (v != SQL_NONE) v = refused(s, t, e);
    }
  }
  stralloc_free(&text);
  return v;
}
