/* What logins leave while somebody else writes: within bounds, the last of a user and service, and no longer than it is of use. */
#include "user/login_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/now.h"
#include "check.h"
#include "user/userdb_relay.h"

static struct userdb db;
static struct login_records later;
static const int64_t now = 1800000000;

static struct login_event event(const char *name, const char *service, const char *ip, int64_t at) {
  return (struct login_event){name, "example.com", service, ip, at, 60};
}

static void left(const char *name, const char *service, const char *ip, int64_t at) {
  const struct login_event e = event(name, service, ip, at);

  login_record(&later, &db, &e);
}

static int64_t found;
static int look(void *ctx, const char *service, const char *ip, int64_t at) {
  if (!strcmp(service, ctx)) found = at;
  return 0;
}

static int64_t last(const char *name, char *service) {
  struct strerr e;

  found = 0;
  (void)!userdb_lastauth_each(&db, name, "example.com", look, service, &e);
  return found;
}

static void add_users(void) {
  const struct userdb_domain d = {.domain = {(char *)"example.com", 11, 0}, .dir = {(char *)"/d", 2, 0}, .base = {(char *)"", 0, 0}};
  struct userdb_new_user n = {.name = "alice", .domain = "example.com", .hash = "x", .scram = "", .gecos = "", .active = 1, .base = "/m", .per_level = 100};
  const char *none = 0;
  stralloc home = STRALLOC_INIT;
  struct strerr e;

  CHECK(userdb_domain_add(&db, &d, &n, &none, &e) == USERDB_FOUND);
  n.name = "bob";
  CHECK(userdb_user_add(&db, &n, &home, &e) == USERDB_FOUND);
  stralloc_free(&home);
}

int main(void) {
  char path[] = "/tmp/login_record.XXXXXX";
  struct userdb_place place = {.driver = &sql_sqlite, .is_file = 1};
  stralloc file = STRALLOC_INIT, who = STRALLOC_INIT;
  struct userdb other;
  struct strerr e;

  CHECK(mkdtemp(path) && stralloc_catm(&file, path, "/db", (char *)0) && stralloc_copy(&place.where, &file));
  CHECK(userdb_open(&db, &place, SQL_CREATE | SQL_MIGRATE, &e) == 0 && userdb_open(&other, &place, 0, &e) == 0);
  add_users();

  /* nobody else writes: at once */
  left("alice", "imap", "::1", now);
  left("nobody", "imap", "::1", now);
  CHECK(later.n == 0 && last("alice", (char *)"imap") == now);

  /* kept, the last of each kind */
  sql_hurry(&db.sql, 1);
  CHECK(sql_begin(&other.sql, &e) == 0);
  left("alice", "imap", "::1", now + 100);
  left("bob", "pop3", "::2", now + 100);
  left("alice", "imap", "::3", now + 200);
  left("alice", 0, "::3", now + 200);
  left("alice", 0, "::4", now + 200);
  CHECK(later.n == 4 && last("alice", (char *)"imap") == now);
  login_records_write(&later, &db, now + 300);
  CHECK(later.n == 4);
  sql_rollback(&other.sql);
  login_records_write(&later, &db, now + 300);
  CHECK(later.n == 0 && last("alice", (char *)"imap") == now + 200 && last("bob", (char *)"pop3") == now + 100);

  /* too old, or of a user who is no more */
  CHECK(sql_begin(&other.sql, &e) == 0);
  left("alice", "imap", "::1", now + 1000);
  left("bob", "imap", "::1", now + 1000 + LOGIN_RECORDS_SECONDS);
  CHECK(later.n == 2 && sql_commit(&other.sql, &e) == 0 && userdb_user_delete(&db, "bob", "example.com", &e) == USERDB_FOUND);
  login_records_write(&later, &db, now + 1001 + LOGIN_RECORDS_SECONDS);
  CHECK(later.n == 0 && last("alice", (char *)"imap") == now + 200);

  /* bounded */
  userdb_close(&db);
  for (int i = 0; i < LOGIN_RECORDS_MAX + 10; ++i) {
    CHECK(stralloc_copys(&who, "::") && stralloc_cati64(&who, i));
    left("alice", 0, who.s, now);
  }
  CHECK(later.n == LOGIN_RECORDS_MAX);
  login_records_write(&later, &db, now);
  CHECK(later.n == LOGIN_RECORDS_MAX);
  login_records_free(&later);
  login_records_free(&later);
  userdb_close(&other);
  CHECK(stralloc_copys(&who, "rm -rf ") && stralloc_cats(&who, path) && system(who.s) == 0);
  stralloc_free(&file);
  stralloc_free(&who);
  stralloc_free(&place.where);
  return check_done();
}
