/* limits: see limits.h. */
#include "user/limits.h"

#include <string.h>

#include "user/userdb_part.h"

static void clear(struct limits *l) {
  memset(l, 0, sizeof *l);
  for (int i = LIMIT_DOMAIN_EXPIRY; i <= LIMIT_LISTS; ++i) l->v[i] = -1;
}

enum userdb_result limits_get(struct userdb *db, const char *domain, const char *user, struct limits *l, struct strerr *e) {
  const enum query q = QUERY_vlimits_get;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(domain), sql_t(user)), e);

  clear(l);
  if (v != SQL_ROW) return userdb_result_of(v);
  for (int i = 0; i < LIMITS; ++i) l->v[i] = sql_int(&db->sql, q, i);
  return userdb_taken(db, q, 1, e);
}

enum userdb_result limits_read(struct userdb *db, const char *domain, const char *user, struct limits *l, struct strerr *e) {
  enum userdb_result r = USERDB_NONE;

  if (*user) r = limits_get(db, domain, user, l, e);
  return r == USERDB_NONE ? limits_get(db, domain, "", l, e) : r;
}

enum userdb_result limits_set(struct userdb *db, const char *domain, const char *user, const struct limits *l, struct strerr *e) {
  struct sql_value v[2 + LIMITS] = {sql_t(domain), sql_t(user)};
  enum userdb_result r;

  for (int i = 0; i < LIMITS; ++i) v[2 + i] = sql_i(l->v[i]);
  r = userdb_changed(db, sql_do(&db->sql, QUERY_vlimits_set, v, sizeof v / sizeof *v, e));
  return r == USERDB_EXISTS ? USERDB_NONE : r; /* the parent row, the domain, is missing */
}

enum userdb_result limits_delete(struct userdb *db, const char *domain, const char *user, struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_vlimits_delete, SQL_ARGS(sql_t(domain), sql_t(user)), e));
}

int limits_switched_on(struct site *s, const char *dir, struct strerr *e) {
  stralloc text = STRALLOC_INIT;
  int r = conf_number(&s->conf, SET_domain_limits) ? 1 : site_domain_file(s, dir, LIMITS_FILE, &text, e);

  stralloc_free(&text);
  return r;
}

int limits_in_force(struct site *s, const char *domain, const char *dir, const char *user, struct limits *l,
                    struct strerr *e) {
  int on = limits_switched_on(s, dir, e);
  enum userdb_result r;

  clear(l);
  if (on <= 0) return on;
  r = limits_read(&s->db, domain, user, l, e);
  return r == USERDB_TEMPFAIL || r == USERDB_EXISTS ? -1 : 0;
}

uint32_t limits_flags(const struct limits *l) {
  static const struct {
    enum limit limit;
    uint32_t flag;
  } flags[] = {
      {LIMIT_NO_POP, USER_NO_POP},         {LIMIT_NO_IMAP, USER_NO_IMAP},   {LIMIT_NO_DIALUP, USER_NO_DIALUP}, {LIMIT_NO_PASSWD_CHANGE, USER_NO_PASSWD_CHANGE},
      {LIMIT_NO_WEBMAIL, USER_NO_WEBMAIL}, {LIMIT_NO_RELAY, USER_NO_RELAY}, {LIMIT_NO_SMTP, USER_NO_SMTP},
  };
  uint32_t set = 0;

  for (size_t i = 0; i < sizeof flags / sizeof *flags; ++i) set |= l->v[flags[i].limit] ? flags[i].flag : 0;
  return set;
}

const char *limits_quota_fault(const struct limits *l, const struct quota *q) {
  const uint64_t bytes = (uint64_t)l->v[LIMIT_DISK_QUOTA], count = (uint64_t)l->v[LIMIT_MESSAGES];

  if (bytes && (!q->bytes || q->bytes > bytes)) return "the quota is larger than the limits of the domain allow";
  if (count && q->count > count) return "the quota has more messages than the limits of the domain allow";
  return 0;
}
