/* import_mysql: takes over the tables of an IndiMail before this one (user/import.h). */
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/now.h"
#include "net/ip.h"
#include "sql/sql_old.h"
#include "user/alias_line.h"
#include "user/dirhash.h"
#include "user/filter_form.h"
#include "user/import_part.h"
#include "user/limits.h"
#include "user/userdb_change.h"
#include "user/userdb_map.h"

#define COLUMNS 26
#define HEADERS_MAX 65536
#define DIR_CONTROL "dir_control"

struct row {
  const char *name; /* what it is of, for messages */
  struct strerr *e;
  stralloc text[COLUMNS];
  int64_t number[COLUMNS];
};

struct mysql {
  struct import_work *w;
  struct sql_old old;
  const char *where, *table; /* table: that is read now */
  struct strlist tables;
  struct strlist headers; /* by number; empty: the usual ones */
  struct row row;
  stralloc name;
};

static const char *text(const struct row *r, int i) {
  return stralloc_cstr(&r->text[i]);
}

static enum import_outcome leave(struct mysql *m, const char *why) {
  return import_left(m->w, m->table, m->row.name, why);
}

static enum sql_verdict put(struct mysql *m, enum query q, const struct sql_value *v, size_t n) {
  return sql_do(&m->w->s->db.sql, q, v, n, m->row.e);
}

/* A row that belongs to a domain, or to a user, was refused: there is one like it, unless that is missing. */
static enum import_outcome of_user(struct mysql *m, enum sql_verdict v, const char *name, const char *domain) {
  int has = v == SQL_EXISTS ? import_has_user(m->w, name, domain, m->row.e) : 1;

  return has == -1 ? IMPORT_FAILED : has ? import_outcome(v) : leave(m, "there is no such user");
}

/* The domain has to be there: 0, or what becomes of the row in *o. */
static int wants_domain(struct mysql *m, const char *domain, enum import_outcome *o) {
  int has = import_has_domain(m->w, domain, m->row.e);

  if (has == 1) return 0;
  *o = has == -1 ? IMPORT_FAILED : leave(m, "users/assign has no such domain");
  return -1;
}

/* --- tables, in the order in which they refer to each other */

static enum import_outcome take_aliasdomain(struct mysql *m) {
  return import_alias_domain(m->w, text(&m->row, 0), text(&m->row, 1), m->row.e);
}

static int move(stralloc *to, const stralloc *from) {
  return stralloc_copyb(to, stralloc_cstr(from), from->len);
}

static enum import_outcome take_user(struct mysql *m, int active) {
  struct row *r = &m->row;
  struct import_user u = {.active = active, .at = r->number[8]};
  enum import_outcome o = IMPORT_FAILED;
  enum import_flags flags = import_flags(r->number[7], m->w->im->numbering, &u.flags);

  if (flags == IMPORT_FLAGS_ASK) {
    site_permanent(r->e, r->name, "has flags (pw_gid) above 255, whose meaning changed between releases: say -F new or -F old");
    return IMPORT_FAILED;
  }
  if (flags == IMPORT_FLAGS_MORE) import_tell(m->w, m->table, r->name, "flags (pw_gid) that mean nothing are left aside", 0);
  if (!quota_parse(text(r, 5), r->text[5].len, &u.quota)) {
    u.quota = (struct quota){0, 0};
    import_tell(m->w, m->table, r->name, "its quota (pw_shell) is none: taken without a limit", 0);
  }
  if (move(&u.name, &r->text[0]) && move(&u.domain, &r->text[1]) && move(&u.hash, &r->text[2]) && move(&u.gecos, &r->text[3]) &&
      move(&u.home, &r->text[4]) && move(&u.scram, &r->text[6]))
    o = import_user_take(m->w, m->table, &u, r->e);
  else import_no_memory(r->e);
  import_user_free(&u);
  return o;
}

static enum import_outcome take_active(struct mysql *m) {
  return take_user(m, 1);
}

static enum import_outcome take_inactive(struct mysql *m) {
  return take_user(m, 0);
}

static enum import_outcome take_valias(struct mysql *m) {
  const struct row *r = &m->row;
  const char *why = name_user_fault(text(r, 0), r->text[0].len);
  const int64_t at = r->number[3] > 0 ? r->number[3] : wall_now();
  enum import_outcome o;

  if (!why) why = alias_line_fault(text(r, 2));
  if (why) return leave(m, why);
  if (wants_domain(m, text(r, 1), &o) == -1) return o;
  return import_outcome(put(m, QUERY_in_valias, SQL_ARGS(sql_t(text(r, 0)), sql_t(text(r, 1)), sql_t(text(r, 2)), sql_i(at))));
}

static enum import_outcome insert_limits(struct mysql *m, const char *domain, const char *user, const struct limits *l) {
  struct sql_value v[2 + LIMITS] = {sql_t(domain), sql_t(user)};
  struct limits there;
  enum sql_verdict r;

  for (int i = 0; i < LIMITS; ++i) v[2 + i] = sql_i(l->v[i]);
  r = put(m, QUERY_in_vlimits, v, 2 + LIMITS);
  if (r != SQL_EXISTS) return import_outcome(r);
  if (limits_get(&m->w->s->db, domain, user, &there, m->row.e) != USERDB_FOUND) return IMPORT_FAILED;
  return memcmp(l, &there, sizeof there) ? leave(m, "we have other limits there, which stay") : IMPORT_THERE;
}

/* Of a domain, or of a user@domain. */
static enum import_outcome take_vlimits(struct mysql *m) {
  const char *name = text(&m->row, 0), *at = strchr(name, '@'), *why;
  stralloc user = STRALLOC_INIT;
  struct limits l;
  enum import_outcome o = IMPORT_FAILED;

  for (int i = 0; i < LIMITS; ++i) {
    l.v[i] = m->row.number[1 + i];
    if (l.v[i] < (i <= LIMIT_LISTS ? -1 : 0)) return leave(m, "a limit is below zero");
    if (i >= LIMIT_NO_POP && i <= LIMIT_NO_SMTP) l.v[i] = l.v[i] != 0;
  }
  why = at ? name_user_fault(name, (size_t)(at - name)) : 0;
  if (why) return leave(m, why);
  if (!stralloc_copyb(&user, name, at ? (size_t)(at - name) : 0)) import_no_memory(m->row.e);
  else if (wants_domain(m, at ? at + 1 : name, &o) == 0) o = insert_limits(m, at ? at + 1 : name, stralloc_cstr(&user), &l);
  stralloc_free(&user);
  return o;
}

static enum import_outcome take_userquota(struct mysql *m) {
  const struct row *r = &m->row;
  enum sql_verdict v;

  if (r->number[2] < 0) return leave(m, "it is below zero");
  v = put(m, QUERY_in_userquota, SQL_ARGS(sql_t(text(r, 0)), sql_t(text(r, 1)), sql_i(r->number[2]), sql_i(r->number[3])));
  return of_user(m, v, text(r, 0), text(r, 1));
}

/* Of two the later. */
static enum import_outcome take_lastauth(struct mysql *m) {
  const struct row *r = &m->row;
  const char *name = text(r, 0), *domain = text(r, 1), *service = text(r, 2), *ip = text(r, 3);
  const struct sql_value at = sql_i(r->number[4]);
  enum sql_verdict v;

  if (!*service || r->text[2].len > 32 || r->text[3].len > 64) return leave(m, "no service, or a text is too long");
  v = put(m, QUERY_in_lastauth, SQL_ARGS(sql_t(name), sql_t(domain), sql_t(service), sql_t(ip), at));
  if (v != SQL_EXISTS) return import_outcome(v);
  v = put(m, QUERY_lastauth_set, SQL_ARGS(sql_t(name), sql_t(domain), sql_t(service), sql_t(ip), at, at));
  return v == SQL_NONE ? IMPORT_THERE : of_user(m, v, name, domain);
}

static enum import_outcome take_atrn_map(struct mysql *m) {
  const struct row *r = &m->row;

  if (!r->text[2].len || r->text[2].len > NAME_DOMAIN_MAX) return leave(m, "no list of domains, or one that is too long");
  return of_user(m, put(m, QUERY_in_atrn_map, SQL_ARGS(sql_t(text(r, 0)), sql_t(text(r, 1)), sql_t(text(r, 2)))), text(r, 0), text(r, 1));
}

static enum import_outcome take_ip_alias_map(struct mysql *m) {
  const struct row *r = &m->row;
  struct ip ip;
  char address[IP_TEXT];
  stralloc there = STRALLOC_INIT;
  enum import_outcome o = IMPORT_FAILED;

  if (!ip_scan(text(r, 0), r->text[0].len, &ip)) return leave(m, "it is no IP address");
  address[ip_fmt(address, &ip)] = 0;
  switch (userdb_ipmap_add(&m->w->s->db, address, text(r, 1), r->e)) {
    case USERDB_FOUND: o = IMPORT_TAKEN; break;
    case USERDB_NONE: o = leave(m, "users/assign has not its domain"); break;
    case USERDB_EXISTS:
      if (userdb_ipmap_get(&m->w->s->db, address, &there, r->e) == USERDB_FOUND)
        o = stralloc_equals(&there, text(r, 1)) ? IMPORT_THERE : leave(m, "we have another domain there, which stays");
      break;
    case USERDB_TEMPFAIL: break;
  }
  stralloc_free(&there);
  return o;
}

/* --- filters */

/* The name of a header by its number: null where it has none. */
static const char *header_name(struct mysql *m, int64_t number, stralloc *digits) {
  if (m->headers.len) return number >= 0 && (uint64_t)number < m->headers.len ? m->headers.item[number].s : 0;
  stralloc_cut(digits, 0);
  return number >= 0 && stralloc_cati64(digits, number) ? filter_header(digits->s) : 0;
}

struct like {
  const struct userdb_filter *f;
  int found;
};

static int is_like(void *ctx, const struct userdb_filter *there) {
  struct like *l = ctx;
  const struct userdb_filter *f = l->f;

  l->found = !strcmp(there->header, f->header) && there->comparison == f->comparison && !strcmp(there->keyword, f->keyword) &&
             !strcmp(there->folder, f->folder) && !strcmp(there->action, f->action);
  return l->found;
}

static enum import_outcome insert_filter(struct mysql *m, const char *name, const char *domain, const struct userdb_filter *f) {
  struct like like = {f, 0};
  enum sql_verdict v = put(m, QUERY_in_filters,
                           SQL_ARGS(sql_t(name), sql_t(domain), sql_i(f->number), sql_t(f->name), sql_t(f->header), sql_i(f->comparison), sql_t(f->keyword),
                                    sql_t(f->folder), sql_t(f->action)));

  if (v != SQL_EXISTS) return import_outcome(v);
  if (userdb_filter_each(&m->w->s->db, name, domain, is_like, &like, m->row.e) == USERDB_TEMPFAIL) return IMPORT_FAILED;
  return like.found ? IMPORT_THERE : leave(m, "another rule has its number");
}

static enum import_outcome take_vfilter(struct mysql *m) {
  const struct row *r = &m->row;
  const char *domain = strchr(text(r, 0), '@'), *why;
  struct userdb_filter f = {.number = r->number[1], .name = r->text[2].len ? text(r, 2) : "filter", .keyword = text(r, 5), .folder = text(r, 6),
                            .action = r->text[7].len ? text(r, 7) : "0", .header = "", .comparison = (enum filter_comparison)r->number[4]};
  stralloc name = STRALLOC_INIT, digits = STRALLOC_INIT;
  enum import_outcome o = IMPORT_FAILED;

  if (!domain) return leave(m, "it is no user@domain");
  if (r->number[4] < 0 || r->number[4] >= FILTER_COMPARISONS) return leave(m, "there is no such comparison");
  if (f.comparison == FILTER_NOT_TO_ME) f.keyword = "";
  else f.header = header_name(m, r->number[3], &digits);
  why = !f.header ? "its header's number is in no list: give the file headerlist (-l)" : filter_form_fault(&f);
  if (!why) why = name_user_fault(text(r, 0), (size_t)(domain - text(r, 0)));
  if (why) o = leave(m, why);
  else if (!stralloc_copyb(&name, text(r, 0), (size_t)(domain - text(r, 0)))) import_no_memory(r->e);
  else if (wants_domain(m, domain + 1, &o) == 0) o = insert_filter(m, name.s, domain + 1, &f);
  stralloc_free(&name);
  stralloc_free(&digits);
  return o;
}

/* --- what belongs to nobody */

static enum import_outcome take_bulkmail(struct mysql *m) {
  const struct row *r = &m->row;

  if (!file_name_ok(text(r, 1), r->text[1].len) || r->text[0].len > 320) return leave(m, "it names no file, or its address is too long");
  return import_outcome(put(m, QUERY_in_bulkmail, SQL_ARGS(sql_t(text(r, 0)), sql_t(text(r, 1)), sql_i(r->number[2]))));
}

static enum import_outcome take_relay(struct mysql *m) {
  const struct row *r = &m->row;
  struct ip ip;

  if (r->text[0].len > 320 || !ip_scan(text(r, 1), r->text[1].len, &ip)) return leave(m, "it has no IP address, or is too long");
  return import_outcome(put(m, QUERY_in_relay, SQL_ARGS(sql_t(text(r, 1)), sql_t(text(r, 0)), sql_i(r->number[2]))));
}

static enum import_outcome take_fstab(struct mysql *m) {
  const struct row *r = &m->row;
  struct sql_value v[7] = {sql_t(text(r, 0)), sql_t(text(r, 1))};

  if (!r->text[0].len || r->text[0].len > 255 || r->text[1].len > 64) return leave(m, "no file system, or a text is too long");
  for (int i = 2; i < 7; ++i) {
    if (r->number[i] < 0) return leave(m, "a number is below zero");
    v[i] = sql_i(r->number[i]);
  }
  return import_outcome(put(m, QUERY_in_fstab, v, 7));
}

static enum import_outcome take_list(struct mysql *m, const char *list) {
  const struct row *r = &m->row;

  if (!r->text[0].len || r->text[0].len > 512 || strpbrk(text(r, 0), "\r\n")) return leave(m, "it is empty, too long or of two lines");
  return import_outcome(put(m, QUERY_in_address_lists, SQL_ARGS(sql_t(list), sql_t(text(r, 0)))));
}

static enum import_outcome take_badmailfrom(struct mysql *m) {
  return take_list(m, "badmailfrom");
}

static enum import_outcome take_badrcptto(struct mysql *m) {
  return take_list(m, "badrcptto");
}

static const struct table {
  int address; /* its first two columns are one */
  int lower;   /* so many columns are names: in small letters here, there they were found in any */
  enum import_outcome (*take)(struct mysql *m);
} tables[OLDS] = {
    [OLD_aliasdomain] = {0, 2, take_aliasdomain}, [OLD_indimail] = {1, 2, take_active},         [OLD_indibak] = {1, 2, take_inactive},
    [OLD_valias] = {1, 2, take_valias},           [OLD_vlimits] = {0, 1, take_vlimits},         [OLD_userquota] = {1, 2, take_userquota},
    [OLD_lastauth] = {1, 2, take_lastauth},       [OLD_atrn_map] = {1, 2, take_atrn_map},       [OLD_ip_alias_map] = {0, 2, take_ip_alias_map},
    [OLD_vfilter] = {0, 1, take_vfilter},         [OLD_bulkmail] = {0, 1, take_bulkmail},       [OLD_relay] = {0, 1, take_relay},
    [OLD_fstab] = {0, 0, take_fstab},             [OLD_badmailfrom] = {0, 0, take_badmailfrom}, [OLD_badrcptto] = {0, 0, take_badrcptto},
};
static const struct table dir_control = {0, 1, 0};

/* --- dir_control: a table for each file system and bucket */

/* The bucket a table is of, by the end of its name ("T2Z" is T2Zsym): null when it is none. */
static const char *bucket_of(const char *table) {
  size_t n = strlen(table);

  for (size_t i = 0; i < DIRHASH_BUCKETS; ++i)
    if (n > 3 && !memcmp(table + n - 3, dirhash_buckets[i], 3)) return dirhash_buckets[i];
  return 0;
}

/* Homes that were given away on any file system: the largest number counts. */
static enum import_outcome take_dir_control(struct mysql *m, const char *bucket) {
  const struct row *r = &m->row;
  struct userdb *db = &m->w->s->db;
  uint64_t there = 0, n = r->number[1] > 0 ? (uint64_t)r->number[1] : 0;
  enum import_outcome o;

  if (wants_domain(m, text(r, 0), &o) == -1) return o;
  if (userdb_placed(db, text(r, 0), bucket, &there, r->e) == USERDB_TEMPFAIL) return IMPORT_FAILED;
  if (there >= n) return IMPORT_THERE;
  return userdb_placed_set(db, text(r, 0), bucket, n, r->e) == USERDB_FOUND ? IMPORT_TAKEN : IMPORT_FAILED;
}

/* --- rows */

/* The row before us, as UTF-8; a byte 0 within it, *why. */
static int read_row(struct mysql *m, const char *columns, const char **why) {
  *why = 0;
  for (int i = 0; columns[i]; ++i) {
    size_t n;
    const char *s;

    if (columns[i] == 'i') {
      m->row.number[i] = sql_old_int(&m->old, i);
      continue;
    }
    s = sql_old_text(&m->old, i, &n);
    if (!import_text(s, n, &m->row.text[i])) return import_no_memory(m->row.e);
    for (size_t k = 0; k < m->row.text[i].len; ++k)
      if (!m->row.text[i].s[k]) {
        m->row.text[i].s[k] = '?';
        *why = "there is a byte 0 in it";
      }
  }
  return 0;
}

static int name_row(struct mysql *m, int address) {
  stralloc_cut(&m->name, 0);
  if (!stralloc_cats(&m->name, text(&m->row, 0)) || (address && !stralloc_catm(&m->name, "@", text(&m->row, 1), (char *)0)))
    return import_no_memory(m->row.e);
  m->row.name = m->name.s;
  return 0;
}

/* All rows of what has been started; bucket: of a table dir_control. */
static int take_rows(struct mysql *m, enum sql_verdict v, const struct table *t, const char *bucket) {
  for (; v == SQL_ROW; v = sql_old_next(&m->old, m->row.e)) {
    const char *why;
    enum import_outcome o;

    if (read_row(m, m->old.row.columns, &why) == -1 || name_row(m, t->address) == -1) return -1;
    for (int i = 0; i < t->lower; ++i) bytes_lower(m->row.text[i].s, m->row.text[i].len);
    o = why ? leave(m, why) : bucket ? take_dir_control(m, bucket) : t->take(m);
    if (import_count_row(m->w, o) == -1) return -1;
    progress_step(m->w->im->progress);
  }
  return v == SQL_NONE ? 0 : -1;
}

static int take_known(struct mysql *m) {
  for (int i = 0; i < OLDS; ++i) {
    m->table = sql_old_names[i];
    if (strlist_find_sorted(&m->tables, m->table) == -1) continue;
    if (take_rows(m, sql_old_start(&m->old, (enum old)i, m->row.e), &tables[i], 0) == -1) return -1;
    import_count_done(m->w, m->table);
  }
  return 0;
}

static int is_dir_control(const char *table) {
  return !strncmp(table, DIR_CONTROL, sizeof DIR_CONTROL - 1) && bucket_of(table);
}

static int take_dir_controls(struct mysql *m) {
  for (size_t i = 0; i < m->tables.len; ++i) {
    m->table = m->tables.item[i].s;
    if (!is_dir_control(m->table)) continue;
    if (take_rows(m, sql_old_start_dir_control(&m->old, m->table, m->row.e), &dir_control, bucket_of(m->table)) == -1) return -1;
  }
  import_count_done(m->w, DIR_CONTROL);
  return 0;
}

/* --- the rest */

static int is_known(const char *table) {
  for (int i = 0; i < OLDS; ++i)
    if (!strcmp(sql_old_names[i], table)) return 1;
  return is_dir_control(table);
}

/* Why a table that has rows is not taken. */
static const char *why_aside(const char *table) {
  static const struct {
    const char *table, *why;
  } known[] = {
      {"vlog", "left aside: passwords that were tried are kept nowhere"},
      {"ischema", 0},
      {"hostcntrl", "left aside: of a cluster"},
      {"host_table", "left aside: of a cluster"},
      {"dbinfo", "left aside: of a cluster"},
      {"smtp_port", "left aside: of a cluster"},
  };

  for (size_t i = 0; i < sizeof known / sizeof *known; ++i)
    if (!strcmp(known[i].table, table)) return known[i].why;
  return "left aside: we have no such table";
}

/* Counts all there is: for the bar, and to say what stays behind. */
static int look_over(struct mysql *m) {
  stralloc rows = STRALLOC_INIT;
  uint64_t total = 0;
  int r = sql_old_tables(&m->old, &m->tables, m->row.e);

  for (size_t i = 0; r == 0 && i < m->tables.len; ++i) {
    const char *table = m->tables.item[i].s;
    uint64_t n = 0;

    r = sql_old_count(&m->old, table, &n, m->row.e);
    if (r == 0 && is_known(table)) total += n;
    stralloc_cut(&rows, 0);
    if (r == -1 || is_known(table) || !n || !why_aside(table)) continue;
    if (!stralloc_catu64(&rows, n) || !stralloc_cats(&rows, n == 1 ? " row" : " rows")) r = import_no_memory(m->row.e);
    else import_tell(m->w, table, rows.s, why_aside(table), 0);
  }
  if (r == 0 && strlist_find_sorted(&m->tables, "indimail") == -1)
    r = site_permanent(m->row.e, "the old database", "it has no table indimail: is that its name (-D)?");
  progress_start(m->w->im->progress, total);
  stralloc_free(&rows);
  return r;
}

/* One header a line, by their numbers: so an empty line counts. */
static int read_headers(struct mysql *m) {
  stralloc file = STRALLOC_INIT;
  const char *path = m->w->im->headers;
  int r = path ? file_read(path, &file, HEADERS_MAX) : 1;

  if (r == -1) strerr_sys(m->row.e, "unable to read ", path, (char *)0);
  if (r == 0) r = site_permanent(m->row.e, path, "there is no such file");
  bytes_lower(file.s, file.len);
  for (size_t i = 0, n; r == 1 && i < file.len; i += n + 1) {
    n = bytes_chr(file.s + i, file.len - i, '\n');
    if (!strlist_add(&m->headers, file.s + i, n)) r = import_no_memory(m->row.e);
  }
  stralloc_free(&file);
  return r == 1 ? 0 : -1;
}

static int fill(struct import_work *w, void *ctx, struct strerr *e) {
  struct mysql *m = ctx;
  int r;

  m->w = w;
  m->row.e = e;
  r = read_headers(m);
  if (r == 0) r = sql_old_open(&m->old, m->where, e);
  if (r == 0) r = look_over(m);
  if (r == 0) r = take_known(m);
  if (r == 0) r = take_dir_controls(m);
  sql_old_close(&m->old);
  for (int i = 0; i < COLUMNS; ++i) stralloc_wipe(&m->row.text[i]);
  strlist_free(&m->tables);
  strlist_free(&m->headers);
  stralloc_free(&m->name);
  return r;
}

int import_mysql(struct site *s, struct import *im, const char *where, struct strerr *e) {
  struct mysql m = {.where = where};

  return import_run(s, im, fill, &m, e);
}
