/* sql_copy: see sql_copy.h. */
#include "sql/sql_copy.h"

#include <string.h>

#define COLUMNS_MAX 40
#define TELL_EVERY 1000 /* rows */

static const struct {
  const char *name;
  enum query out, in;
} tables[] = {
#define TABLE(name, columns, order, marks, types) {#name, QUERY_out_##name, QUERY_in_##name},
#include "sql/tables.def"
#undef TABLE
};
#define TABLES (sizeof tables / sizeof *tables)

/* What a table holds: FNV-1a over its values, with their lengths between them. */
struct sum {
  uint64_t rows, hash;
};

static void add(struct sum *s, const void *bytes, size_t n) {
  const unsigned char *b = bytes;

  for (size_t i = 0; i < n; ++i) s->hash = (s->hash ^ b[i]) * 1099511628211u;
}

static void add_value(struct sum *s, const struct sql_value *v) {
  uint64_t n = v->type == 't' ? v->n : 8;

  add(s, &n, sizeof n);
  if (v->type == 't') add(s, v->s, v->n);
  else add(s, &v->i, sizeof v->i);
}

/* The row before us; texts are borrowed from it. */
static size_t read_row(const struct sql *db, enum query q, struct sql_value *v, struct sum *s) {
  const char *types = sql_queries[q].columns;
  size_t i;

  for (i = 0; types[i]; ++i) {
    size_t n;
    const char *text = types[i] == 't' ? sql_text(db, q, (int)i, &n) : 0;

    v[i] = text ? sql_tn(text, n) : sql_i(sql_int(db, q, (int)i));
    add_value(s, &v[i]);
  }
  s->rows++;
  return i;
}

/* Every row of a table; into to, unless that is null.  0 or -1. */
static int walk(struct sql *from, size_t table, struct sql *to, const struct sql_copy *how, struct sum *s, struct strerr *e) {
  const enum query out = tables[table].out;
  enum sql_verdict v = sql_start(from, out, 0, 0, e);

  for (; v == SQL_ROW; v = sql_next(from, out, e)) {
    struct sql_value row[COLUMNS_MAX];
    size_t n = read_row(from, out, row, s);

    if (to && sql_do(to, tables[table].in, row, n, e) != SQL_NONE) break;
    if (to && s->rows % TELL_EVERY == 0) how->progress(how->ctx, tables[table].name, s->rows, 0);
  }
  sql_end(from, out);
  return v == SQL_NONE ? 0 : -1;
}

static int is_empty(struct sql *to, struct strerr *e) {
  for (size_t i = 0; i < TABLES; ++i) {
    enum sql_verdict v = sql_start(to, tables[i].out, 0, 0, e);

    sql_end(to, tables[i].out);
    if (v == SQL_NONE) continue;
    if (v == SQL_ROW) {
      strerr_set(e, "the target is not empty: it has rows in ", tables[i].name, (char *)0);
      e->permanent = 1;
    }
    return -1;
  }
  return 0;
}

static int copy_table(struct sql *from, struct sql *to, size_t table, const struct sql_copy *how, struct strerr *e) {
  struct sum sent = {0, 1469598103934665603u}, arrived = sent;

  if (walk(from, table, to, how, &sent, e) == -1 || walk(to, table, 0, how, &arrived, e) == -1) return -1;
  if (sent.rows != arrived.rows || sent.hash != arrived.hash)
    return strerr_set(e, "what arrived in ", tables[table].name, " is not what was sent", (char *)0);
  how->progress(how->ctx, tables[table].name, sent.rows, 1);
  return 0;
}

static int copy_all(struct sql *from, struct sql *to, const struct sql_copy *how, struct strerr *e) {
  if (is_empty(to, e) == -1) return -1;
  for (size_t i = 0; i < TABLES; ++i)
    if (copy_table(from, to, i, how, e) == -1) return -1;
  return how->dry ? 0 : sql_commit(to, e);
}

int sql_copy_all(struct sql *from, struct sql *to, const struct sql_copy *how, struct strerr *e) {
  int r = -1;

  e->permanent = 0;
  if (sql_begin(from, e) == 0 && sql_begin(to, e) == 0) r = copy_all(from, to, how, e);
  sql_rollback(to); /* after a commit there is nothing to take back */
  sql_rollback(from);
  return r;
}
