/* sql_mysql: the driver for MariaDB and MySQL servers (see sql.h).
 *
 * Text compares byte by byte and is never cut, as in SQLite: collation and sql_mode of the
 * session see to that.  Results are taken over whole, so that another query can run while
 * one is read.  Writers wait for one named lock, as SQLite's do for its file: what several
 * programs change at once ends in no deadlock.  A connection that broke stays broken:
 * everything on it fails, and whoever is to live long opens another (sql_changed). */
#include "sql/sql.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/now.h"
#include "base/scan.h"
#include "sql/mysql_api.h"
#include "sql/mysql_where.h"

#define CONNECT_SECONDS 3
#define IO_SECONDS 10
#define IDLE_SECONDS 5  /* after which a connection is looked at before it is used */
#define PARAMETERS_MAX 40
#define COLUMNS_MAX 40

/* Errors of the server and of the client library we tell apart. */
enum {
  NO_DATABASE = 1049, SHUTDOWN = 1053, DUPLICATE = 1062, NO_PARENT = 1452, KILLED = 1927, DISCONNECTED = 4031,
  CLIENT_ERRORS = 2000, CLIENT_ERRORS_END = 2100,
};

struct conn {
  const struct mysql_api *api;
  MYSQL *db;
  stralloc name; /* for messages */
  int lost;
  int64_t changes;
  deadline used;
};

struct column {
  stralloc text;
  long long number;
  unsigned long length;
  my_bool null;
};

struct stmt {
  struct conn *c;
  const struct sql_query_row *row;
  MYSQL_STMT *st;
  MYSQL_BIND parameter[PARAMETERS_MAX];
  unsigned long length[PARAMETERS_MAX];
  long long number[PARAMETERS_MAX];
  struct column column[COLUMNS_MAX];
  int running;
};

/* --- errors --------------------------------------------------------------------------------------- */

static int fail(struct conn *c, const char *what, unsigned code, const char *why, struct strerr *e) {
  if ((code >= CLIENT_ERRORS && code < CLIENT_ERRORS_END) || code == SHUTDOWN || code == KILLED || code == DISCONNECTED) c->lost = 1;
  return strerr_set(e, "user database at ", stralloc_cstr(&c->name), ": ", what, ": ", why, (char *)0);
}

static int fail_conn(struct conn *c, const char *what, struct strerr *e) {
  return fail(c, what, c->api->mysql_errno(c->db), c->api->mysql_error(c->db), e);
}

static int fail_stmt(struct stmt *s, struct strerr *e) {
  return fail(s->c, s->row->id, s->c->api->mysql_stmt_errno(s->st), s->c->api->mysql_stmt_error(s->st), e);
}

static int no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to use the user database", (char *)0);
}

/* --- where the server is, in lines "key value" ------------------------------------------------------ */

enum kind { STRING, NUMBER, SWITCH };

/* Those that are handed to the library as they are. */
static const struct {
  const char *key;
  enum kind kind;
  enum mysql_option option;
} options[] = {
    {"file", STRING, MYSQL_READ_DEFAULT_FILE},       {"group", STRING, MYSQL_READ_DEFAULT_GROUP},
    {"connect_timeout", NUMBER, MYSQL_OPT_CONNECT_TIMEOUT}, {"read_timeout", NUMBER, MYSQL_OPT_READ_TIMEOUT},
    {"write_timeout", NUMBER, MYSQL_OPT_WRITE_TIMEOUT}, {"protocol", NUMBER, MYSQL_OPT_PROTOCOL},
    {"ssl_ca", STRING, MYSQL_OPT_SSL_CA},            {"ssl_capath", STRING, MYSQL_OPT_SSL_CAPATH},
    {"ssl_cert", STRING, MYSQL_OPT_SSL_CERT},        {"ssl_key", STRING, MYSQL_OPT_SSL_KEY},
    {"ssl_cipher", STRING, MYSQL_OPT_SSL_CIPHER},    {"ssl_crl", STRING, MYSQL_OPT_SSL_CRL},
    {"ssl_crlpath", STRING, MYSQL_OPT_SSL_CRLPATH},  {"tls_version", STRING, MARIADB_OPT_TLS_VERSION},
    {"compress", SWITCH, MYSQL_OPT_COMPRESS},
};

/* --- connecting ----------------------------------------------------------------------------------- */

static int set_option(struct conn *c, const char *where, size_t i, stralloc *value, struct strerr *e) {
  const void *argument = 0;
  uint32_t number = 0;
  my_bool on = 1;
  int r = mysql_where_key(where, options[i].key, value);

  if (r == 0) return 0;
  if (r == -1) return no_memory(e);
  if (options[i].kind == NUMBER && !scan_u32(value->s, value->len, &number))
    return strerr_set(e, "MYSQL_OPT_", options[i].key, " must be a number", (char *)0);
  if (options[i].kind == STRING) argument = value->s;
  if (options[i].kind == NUMBER) argument = &number;
  if (options[i].kind == SWITCH) {
    if (!value->len || stralloc_equals(value, "0")) return 0;
    argument = options[i].option == MYSQL_OPT_COMPRESS ? 0 : &on;
  }
  c->api->mysql_options(c->db, options[i].option, argument);
  return 0;
}

static int set_options(struct conn *c, const struct mysql_where *w, const char *where, struct strerr *e) {
  const unsigned connect_seconds = CONNECT_SECONDS, io_seconds = IO_SECONDS, off = 0;
  const unsigned tcp = MYSQL_PROTOCOL_TCP, local = MYSQL_PROTOCOL_SOCKET;
  const my_bool on = 1, verify = (my_bool)w->verify;
  stralloc value = STRALLOC_INIT;
  int r = 0;

  c->api->mysql_options(c->db, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  c->api->mysql_options(c->db, MYSQL_OPT_LOCAL_INFILE, &off); /* no server takes files of ours */
  c->api->mysql_options(c->db, MYSQL_OPT_CONNECT_TIMEOUT, &connect_seconds);
  c->api->mysql_options(c->db, MYSQL_OPT_READ_TIMEOUT, &io_seconds);
  c->api->mysql_options(c->db, MYSQL_OPT_WRITE_TIMEOUT, &io_seconds);
  if (w->place.socket.len) c->api->mysql_options(c->db, MYSQL_OPT_PROTOCOL, &local);
  else if (w->place.port) c->api->mysql_options(c->db, MYSQL_OPT_PROTOCOL, &tcp);
  for (size_t i = 0; r == 0 && i < sizeof options / sizeof *options; ++i) r = set_option(c, where, i, &value, e);
  if (w->place.tls == 1) {
    c->api->mysql_options(c->db, MYSQL_OPT_SSL_ENFORCE, &on);
    c->api->mysql_options(c->db, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  }
  stralloc_free(&value);
  return r;
}

static const char *or_null(stralloc *s) {
  return s->len ? stralloc_cstr(s) : 0;
}

/* database null: none yet. */
static int connect_to(struct conn *c, struct mysql_where *w, const char *where, const char *database, struct strerr *e) {
  const char *host;

  c->db = c->api->mysql_init(0);
  if (!c->db) return no_memory(e);
  if (set_options(c, w, where, e) == -1) return -1;
  /* The library takes a socket only for this host by this name. */
  host = w->place.socket.len ? "localhost" : stralloc_cstr(&w->place.host);
  if (!c->api->mysql_real_connect(c->db, host, or_null(&w->place.user), or_null(&w->place.password), database,
                                  w->place.port, or_null(&w->place.socket), CLIENT_FOUND_ROWS))
    return fail_conn(c, "unable to connect", e);
  if (w->place.tls == 1 && !c->api->mysql_get_ssl_cipher(c->db)) return fail(c, "unable to connect", 0, "the server offers no TLS", e);
  return 0;
}

static int run(struct conn *c, const char *sql, size_t n, const char *what, struct strerr *e) {
  MYSQL_RES *result;

  if (c->api->mysql_real_query(c->db, sql, n)) return fail_conn(c, what, e);
  result = c->api->mysql_store_result(c->db);
  if (result) c->api->mysql_free_result(result);
  c->used = mono_now();
  return 0;
}

static int run_text(struct conn *c, const char *sql, struct strerr *e) {
  return run(c, sql, strlen(sql), "unable to set up the session", e);
}

/* The database's own collation is that of its tables. */
static int create(struct conn *c, const struct mysql_where *w, struct strerr *e) {
  stralloc sql = STRALLOC_INIT;
  int r;

  if (!stralloc_catm(&sql, "CREATE DATABASE IF NOT EXISTS `", w->database.s, "` CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin", (char *)0))
    r = no_memory(e);
  else r = run(c, sql.s, sql.len, "unable to create the database", e);
  if (r == 0 && c->api->mysql_select_db(c->db, w->database.s)) r = fail_conn(c, "unable to use the database", e);
  stralloc_free(&sql);
  return r;
}

/* MySQL has not the collation that MariaDB has; nothing but reading old tables works there. */
static int set_up(struct conn *c, unsigned flags, struct strerr *e) {
  if (run_text(c, flags & SQL_FOREIGN ? "SET NAMES utf8mb4" : "SET NAMES utf8mb4 COLLATE utf8mb4_nopad_bin", e) == -1) return -1;
  if (run_text(c, "SET SESSION sql_mode = 'TRADITIONAL,PIPES_AS_CONCAT,ANSI_QUOTES,NO_BACKSLASH_ESCAPES', time_zone = '+00:00'", e) == -1)
    return -1;
  return run_text(c, flags & SQL_PATIENT ? "SET SESSION innodb_lock_wait_timeout = 20" : "SET SESSION innodb_lock_wait_timeout = 2", e);
}

static void close_conn(void *conn) {
  struct conn *c = conn;

  if (c->db) c->api->mysql_close(c->db);
  stralloc_free(&c->name);
  free(c);
}

static int open_at(struct conn *c, struct mysql_where *w, const char *where, unsigned flags, struct strerr *e) {
  if (bytes_chr(w->database.s, w->database.len, '`') != w->database.len) return strerr_set(e, "bad name of a database: ", w->database.s, (char *)0);
  if (!stralloc_copy(&c->name, &w->place.host) || !stralloc_catm(&c->name, " (", w->database.s, ")", (char *)0)) return no_memory(e);
  c->api = mysql_api_load(stralloc_cstr(&w->library), e);
  if (!c->api) return -1;
  if (connect_to(c, w, where, w->database.s, e) == -1) {
    if (!c->db || !(flags & SQL_CREATE) || c->api->mysql_errno(c->db) != NO_DATABASE) return -1;
    c->api->mysql_close(c->db);
    if (connect_to(c, w, where, 0, e) == -1 || create(c, w, e) == -1) return -1;
  }
  return set_up(c, flags, e);
}

static int open_conn(void **conn, const char *where, unsigned flags, struct strerr *e) {
  struct conn *c = calloc(1, sizeof *c);
  struct mysql_where w;
  int r;

  if (!c) return no_memory(e);
  r = mysql_where_parse(&w, where, e);
  if (r == 0) r = open_at(c, &w, where, flags, e);
  mysql_where_free(&w);
  if (r == 0) *conn = c;
  else close_conn(c);
  return r;
}

static int changed(void *conn) {
  struct conn *c = conn;
  deadline now = mono_now();

  if (!c->lost && now > c->used + IDLE_SECONDS * NS_PER_S) {
    c->lost = c->api->mysql_ping(c->db) != 0;
    c->used = now;
  }
  return c->lost;
}

/* --- statements ----------------------------------------------------------------------------------- */

static void finalize(void *stmt) {
  struct stmt *s = stmt;

  s->c->api->mysql_stmt_close(s->st);
  for (int i = 0; i < COLUMNS_MAX; ++i) stralloc_free(&s->column[i].text);
  free(s);
}

static int prepare(void *conn, const struct sql_query_row *row, void **stmt, struct strerr *e) {
  struct conn *c = conn;
  const char *sql = row->mysql ? row->mysql : row->sql;
  struct stmt *s = calloc(1, sizeof *s);
  const my_bool on = 1;

  if (!s) return no_memory(e);
  s->c = c;
  s->row = row;
  s->st = c->api->mysql_stmt_init(c->db);
  if (!s->st) {
    free(s);
    return no_memory(e);
  }
  c->api->mysql_stmt_attr_set(s->st, STMT_ATTR_UPDATE_MAX_LENGTH, &on);
  if (c->api->mysql_stmt_prepare(s->st, sql, strlen(sql))) fail_stmt(s, e);
  else if (c->api->mysql_stmt_param_count(s->st) != strlen(row->parameters) || c->api->mysql_stmt_field_count(s->st) != strlen(row->columns))
    strerr_set(e, "query ", row->id, " is not what its row says", (char *)0);
  else {
    *stmt = s;
    return 0;
  }
  finalize(s);
  return -1;
}

/* Text stays the caller's, which keeps it until the first step. */
static int bind(void *stmt, int index, const struct sql_value *v) {
  struct stmt *s = stmt;
  MYSQL_BIND *b = &s->parameter[index];

  if (index >= PARAMETERS_MAX) return -1;
  memset(b, 0, sizeof *b);
  if (v->type == 'i') {
    s->number[index] = v->i;
    b->buffer_type = MYSQL_TYPE_LONGLONG;
    b->buffer = &s->number[index];
    return 0;
  }
  s->length[index] = v->n;
  b->buffer_type = MYSQL_TYPE_STRING;
  b->buffer = (void *)(uintptr_t)v->s;
  b->buffer_length = v->n;
  b->length = &s->length[index];
  return 0;
}

/* Room for the longest value of each column. */
static int make_room(struct stmt *s, MYSQL_BIND *b, size_t columns) {
  MYSQL_RES *meta = s->c->api->mysql_stmt_result_metadata(s->st);
  int ok = meta != 0;

  memset(b, 0, columns * sizeof *b);
  for (size_t i = 0; ok && i < columns; ++i) {
    struct column *col = &s->column[i];

    b[i].is_null = &col->null;
    b[i].length = &col->length;
    if (s->row->columns[i] == 'i') {
      b[i].buffer_type = MYSQL_TYPE_LONGLONG;
      b[i].buffer = &col->number;
    } else {
      size_t n = s->c->api->mysql_fetch_field_direct(meta, (unsigned)i)->max_length;

      ok = stralloc_ready(&col->text, n + 1);
      b[i].buffer_type = MYSQL_TYPE_STRING;
      b[i].buffer = col->text.s;
      b[i].buffer_length = n + 1;
    }
  }
  if (meta) s->c->api->mysql_free_result(meta);
  return ok;
}

static int execute(struct stmt *s, struct strerr *e) {
  const struct mysql_api *api = s->c->api;
  size_t columns = strlen(s->row->columns);
  MYSQL_BIND result[COLUMNS_MAX];

  if (*s->row->parameters && api->mysql_stmt_bind_param(s->st, s->parameter)) return fail_stmt(s, e);
  if (api->mysql_stmt_execute(s->st)) return fail_stmt(s, e);
  s->running = 1;
  s->c->used = mono_now();
  s->c->changes = (int64_t)api->mysql_stmt_affected_rows(s->st);
  if (!columns) return 0;
  if (api->mysql_stmt_store_result(s->st)) return fail_stmt(s, e);
  if (!make_room(s, result, columns)) return no_memory(e);
  return api->mysql_stmt_bind_result(s->st, result) ? fail_stmt(s, e) : 0;
}

static enum sql_verdict verdict(struct stmt *s) {
  unsigned code = s->c->api->mysql_stmt_errno(s->st);

  return code == DUPLICATE || code == NO_PARENT ? SQL_EXISTS : SQL_TEMPFAIL;
}

static enum sql_verdict step(void *conn, void *stmt, struct strerr *e) {
  struct conn *c = conn;
  struct stmt *s = stmt;
  int r;

  if (c->lost) {
    fail(c, s->row->id, 0, "the connection was lost", e);
    return SQL_TEMPFAIL;
  }
  if (!s->running && execute(s, e) == -1) return verdict(s);
  if (!*s->row->columns) return SQL_NONE;
  r = c->api->mysql_stmt_fetch(s->st);
  if (r == 0) return SQL_ROW;
  if (r == MYSQL_NO_DATA) return SQL_NONE;
  fail(c, s->row->id, c->api->mysql_stmt_errno(s->st), r == MYSQL_DATA_TRUNCATED ? "a value was cut" : c->api->mysql_stmt_error(s->st), e);
  return SQL_TEMPFAIL;
}

static int64_t column_int(void *stmt, int index) {
  const struct stmt *s = stmt;

  return s->column[index].null ? 0 : s->column[index].number;
}

static const char *column_text(void *stmt, int index, size_t *n) {
  struct stmt *s = stmt;
  struct column *c = &s->column[index];

  *n = c->null ? 0 : c->length;
  c->text.s[*n] = 0;
  return c->text.s;
}

static void reset(void *stmt) {
  struct stmt *s = stmt;

  if (s->running && *s->row->columns) s->c->api->mysql_stmt_free_result(s->st);
  s->running = 0;
}

/* --- changes -------------------------------------------------------------------------------------- */

static int number_of(struct conn *c, enum query q, const char *what, long *number, struct strerr *e) {
  const char *sql = sql_queries[q].mysql;
  MYSQL_RES *result;
  MYSQL_ROW row;

  if (c->api->mysql_real_query(c->db, sql, strlen(sql)) || !(result = c->api->mysql_store_result(c->db))) return fail_conn(c, what, e);
  row = c->api->mysql_fetch_row(result);
  *number = row && row[0] ? atol(row[0]) : 0;
  c->api->mysql_free_result(result);
  return 0;
}

static void unlock(struct conn *c) {
  long was;
  struct strerr e;

  if (!c->lost) (void)!number_of(c, QUERY_writer_unlock, "", &was, &e);
}

static int begin(void *conn, struct strerr *e) {
  struct conn *c = conn;
  const char *what = "unable to begin a change";
  long got;

  if (c->lost) return fail(c, what, 0, "the connection was lost", e);
  if (number_of(c, QUERY_writer_lock, what, &got, e) == -1) return -1;
  if (got != 1) return fail(c, what, 0, "another program is changing it", e);
  if (run(c, "START TRANSACTION", 17, what, e) == 0) return 0;
  unlock(c);
  return -1;
}

static int commit(void *conn, struct strerr *e) {
  struct conn *c = conn;
  int r = c->lost ? fail(c, "unable to finish a change", 0, "the connection was lost", e) : run(c, "COMMIT", 6, "unable to finish a change", e);

  if (r == 0) unlock(c);
  return r;
}

static void rollback(void *conn) {
  struct conn *c = conn;
  struct strerr e;

  if (!c->lost) (void)!run(c, "ROLLBACK", 8, "", &e);
  unlock(c);
}

/* Each change of a schema stands by itself, so every statement of ours may be run again. */
static int migrate(void *conn, const struct sql_migration *m, struct strerr *e) {
  const char *sql = m->mysql ? m->mysql : m->sql;

  while (*sql) {
    size_t n = strcspn(sql, ";");

    if (n && run(conn, sql, n, m->comment, e) == -1) return -1;
    sql += n + (sql[n] == ';');
  }
  return 0;
}

static int64_t changes(void *conn) {
  const struct conn *c = conn;

  return c->changes;
}

const struct sql_driver sql_mysql = {
    .name = "mysql",
    .open = open_conn,
    .changed = changed,
    .prepare = prepare,
    .bind = bind,
    .step = step,
    .column_int = column_int,
    .column_text = column_text,
    .reset = reset,
    .finalize = finalize,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .migrate = migrate,
    .changes = changes,
    .close = close_conn,
};
