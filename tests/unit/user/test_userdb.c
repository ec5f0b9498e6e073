/* The user database: every outcome, memory running out at each allocation. */
#include "user/userdb.h"

#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "user/userdb_filter.h"
#include "user/userdb_totp.h"

static char dir[] = "/tmp/test_userdb.XXXXXX";
static struct userdb db;
static struct strerr e;

static const struct userdb_new_user alice = {
    .name = "alice", .domain = "example.com", .hash = "hash", .scram = "", .gecos = "Alice", .quota = {1000, 5}, .active = 1,
    .base = "/mail", .per_level = 100,
};

static void domains(void) {
  static const char *const aliases[] = {"abuse", "mailer-daemon", 0};
  struct userdb_domain d = {.uid = 10, .gid = 20};
  struct userdb_new_user pm = alice;
  stralloc real = STRALLOC_INIT;
  struct strlist l = {0};
  int64_t users, active;

  pm.name = "postmaster";
  CHECK(stralloc_copys(&d.domain, "example.com") && stralloc_copys(&d.dir, "/d"));
  CHECK(userdb_domain_list(&db, &l, &e) == USERDB_NONE);
  CHECK(userdb_domain_add(&db, &d, &pm, aliases, &e) == USERDB_FOUND);
  CHECK(userdb_domain_add(&db, &d, &pm, aliases, &e) == USERDB_EXISTS);
  CHECK(userdb_domain_get(&db, "example.com", &d, &e) == USERDB_FOUND && d.uid == 10 && d.gid == 20 && d.base.len == 0);
  CHECK(userdb_domain_get(&db, "other.example", &d, &e) == USERDB_NONE);
  CHECK(userdb_domain_real(&db, "example.com", &real, &e) == USERDB_FOUND && stralloc_equals(&real, "example.com"));
  CHECK(userdb_domain_real(&db, "other.example", &real, &e) == USERDB_NONE);
  CHECK(userdb_domain_users(&db, "example.com", &users, &active, &e) == USERDB_FOUND && users == 1 && active == 1);
  CHECK(userdb_alias_list(&db, "example.com", &l, &e) == USERDB_FOUND && l.len == 4);
  CHECK(stralloc_equals(&l.item[3], "&postmaster@example.com"));
  strlist_free(&l);
  stralloc_free(&real);
  userdb_domain_free(&d);
}

static int count(void *ctx, const char *name, const char *home, int active) {
  ++*(int *)ctx;
  return 0;
}

static int events(void *ctx, const char *service, const char *ip, int64_t at) {
  if (!strcmp(service, "imap")) *(int64_t *)ctx = at;
  return 0;
}

static void users(void) {
  struct userdb_user u = {.active = 0};
  struct userdb_new_user n = alice;
  stralloc home = STRALLOC_INIT;
  int active, bounce, seen = 0;
  int64_t at = 0;

  CHECK(userdb_user_add(&db, &n, &home, &e) == USERDB_FOUND && stralloc_equals(&home, "/mail/A2E/example.com/alice"));
  CHECK(userdb_user_add(&db, &n, &home, &e) == USERDB_EXISTS);
  n.domain = "other.example";
  CHECK(userdb_user_add(&db, &n, &home, &e) == USERDB_NONE);
  CHECK(userdb_user_get(&db, "alice", "example.com", &u, &e) == USERDB_FOUND);
  CHECK(stralloc_equals(&u.hash, "hash") && stralloc_equals(&u.gecos, "Alice") && u.quota.bytes == 1000);
  CHECK(u.uid == 10 && u.gid == 20 && u.active && u.flags == 0 && u.quota.count == 5);
  CHECK(userdb_user_get(&db, "bob", "example.com", &u, &e) == USERDB_NONE);
  CHECK(userdb_user_state(&db, "alice", "example.com", &active, &bounce, &e) == USERDB_FOUND && active && !bounce);
  CHECK(userdb_user_passwd(&db, "alice", "example.com", "new", "keys", &e) == USERDB_FOUND);
  CHECK(userdb_user_passwd(&db, "bob", "example.com", "new", "keys", &e) == USERDB_NONE);
  CHECK(userdb_user_get(&db, "alice", "example.com", &u, &e) == USERDB_FOUND && stralloc_equals(&u.hash, "new"));
  CHECK(stralloc_equals(&u.scram, "keys"));
  CHECK(userdb_user_scram(&db, "alice", "example.com", "new", "other", &e) == USERDB_NONE);
  CHECK(userdb_user_passwd(&db, "alice", "example.com", "new", "", &e) == USERDB_FOUND);
  CHECK(userdb_user_scram(&db, "alice", "example.com", "old", "other", &e) == USERDB_NONE);
  CHECK(userdb_user_scram(&db, "alice", "example.com", "new", "other", &e) == USERDB_FOUND);
  CHECK(userdb_user_get(&db, "alice", "example.com", &u, &e) == USERDB_FOUND && stralloc_equals(&u.scram, "other"));
  CHECK(userdb_user_each(&db, "example.com", count, &seen, &e) == USERDB_FOUND && seen == 2);
  CHECK(userdb_user_each(&db, "other.example", count, &seen, &e) == USERDB_NONE && seen == 2);
  CHECK(userdb_lastauth_set(&db, "alice", "example.com", "imap", "::1", 60, &e) == USERDB_FOUND);
  CHECK(userdb_lastauth_set(&db, "bob", "example.com", "imap", "::1", 60, &e) == USERDB_EXISTS);
  CHECK(userdb_lastauth_each(&db, "alice", "example.com", events, &at, &e) == USERDB_FOUND && at > 1000000000);
  userdb_user_free(&u);
  stralloc_free(&home);
}

static void secrets(void) {
  stralloc a = STRALLOC_INIT, b = STRALLOC_INIT;

  CHECK(userdb_secret(&db, "one", &a, &e) == USERDB_FOUND && a.len == 64);
  CHECK(userdb_secret(&db, "one", &b, &e) == USERDB_FOUND && stralloc_equals(&b, a.s));
  CHECK(userdb_secret(&db, "two", &b, &e) == USERDB_FOUND && !stralloc_equals(&b, a.s));
  stralloc_free(&a);
  stralloc_free(&b);
}

static void codes(void) {
  struct userdb_totp t = {.created = 0};

  CHECK(userdb_totp_get(&db, "alice", "example.com", &t, &e) == USERDB_NONE);
  CHECK(userdb_totp_add(&db, "bob", "example.com", "S", 1, &e) == USERDB_NONE);
  CHECK(userdb_totp_add(&db, "alice", "example.com", "SECRET", 5, &e) == USERDB_FOUND);
  CHECK(userdb_totp_add(&db, "alice", "example.com", "OTHER", 6, &e) == USERDB_EXISTS);
  CHECK(userdb_totp_get(&db, "alice", "example.com", &t, &e) == USERDB_FOUND && stralloc_equals(&t.secret, "SECRET") && t.step == 5);
  CHECK(userdb_totp_use(&db, "alice", "example.com", 5, &e) == USERDB_NONE);
  CHECK(userdb_totp_use(&db, "alice", "example.com", 6, &e) == USERDB_FOUND);
  CHECK(userdb_totp_use(&db, "alice", "example.com", 6, &e) == USERDB_NONE);
  CHECK(userdb_totp_use(&db, "bob", "example.com", 9, &e) == USERDB_NONE);
  CHECK(userdb_totp_get(&db, "alice", "example.com", &t, &e) == USERDB_FOUND && t.step == 6 && t.created > 1000000000);
  CHECK(userdb_totp_delete(&db, "alice", "example.com", &e) == USERDB_FOUND);
  CHECK(userdb_totp_delete(&db, "alice", "example.com", &e) == USERDB_NONE);
  userdb_totp_free(&t);
}

static int note(void *ctx, const char *owner, const struct userdb_filter *f) {
  stralloc *seen = ctx;

  CHECK(stralloc_catm(seen, owner, ":", f->header, f->keyword, f->folder, f->action, " ", (char *)0));
  return 0;
}

static void filters(void) {
  static const char *const owners[] = {"postfilt", "alice", "prefilt", "alice", "bob"};
  stralloc seen = STRALLOC_INIT;

  CHECK(userdb_filter_all(&db, "alice", "example.com", note, &seen, &e) == USERDB_NONE);
  for (size_t i = 0; i < sizeof owners / sizeof *owners; ++i) {
    const char keyword[] = {(char)('1' + i), 0};
    struct userdb_filter f = {0, "n", "h", keyword, "f", "a", FILTER_EQUALS};

    CHECK_CASE(userdb_filter_add(&db, owners[i], "example.com", &f, &e) == USERDB_FOUND, owners[i]);
  }
  CHECK(userdb_filter_all(&db, "alice", "example.com", note, &seen, &e) == USERDB_FOUND);
  CHECK(stralloc_equals(&seen, "prefilt:h3fa alice:h2fa alice:h4fa postfilt:h1fa "));
  stralloc_cut(&seen, 0);
  CHECK(userdb_filter_all(&db, "carol", "example.com", note, &seen, &e) == USERDB_FOUND && stralloc_equals(&seen, "prefilt:h3fa postfilt:h1fa "));
  stralloc_free(&seen);
}

static void aliases(void) {
  struct strlist l = {0};

  CHECK(userdb_alias_add(&db, "team", "example.com", "&alice@example.com", &e) == USERDB_FOUND);
  CHECK(userdb_alias_add(&db, "team", "example.com", "&alice@example.com", &e) == USERDB_EXISTS);
  CHECK(userdb_alias_add(&db, "team", "other.example", "x@y", &e) == USERDB_NONE);
  CHECK(userdb_alias_get(&db, "team", "example.com", &l, &e) == USERDB_FOUND && l.len == 1);
  CHECK(userdb_alias_find(&db, "alice@example.com", &l, &e) == USERDB_FOUND && l.len == 2);
  CHECK(userdb_alias_change(&db, "team", "example.com", "&alice@example.com", "alice@example.com", &e) == USERDB_FOUND);
  CHECK(userdb_alias_find(&db, "alice@example.com", &l, &e) == USERDB_FOUND && stralloc_equals(&l.item[0], "team"));
  CHECK(userdb_alias_delete(&db, "team", "example.com", "none", &e) == USERDB_NONE);
  /* with the user goes what delivers to it */
  CHECK(userdb_user_delete(&db, "alice", "example.com", &e) == USERDB_FOUND);
  CHECK(userdb_user_delete(&db, "alice", "example.com", &e) == USERDB_NONE);
  CHECK(userdb_alias_get(&db, "team", "example.com", &l, &e) == USERDB_NONE);
  strlist_free(&l);
}

/* Memory gone at any point is temporary, and leaves nothing half done. */
static void no_memory(void) {
  stralloc home = STRALLOC_INIT;
  long n;

  for (n = 1; n < 200; ++n) {
    struct userdb_user u = {.active = 0};
    enum userdb_result r;

    check_nomem(n);
    r = userdb_user_add(&db, &alice, &home, &e);
    check_nomem(0);
    CHECK(r == USERDB_FOUND || r == USERDB_TEMPFAIL);
    if (r == USERDB_FOUND) break;
    CHECK(userdb_user_get(&db, "alice", "example.com", &u, &e) == USERDB_NONE);
    userdb_user_free(&u);
    stralloc_free(&home);
  }
  CHECK(n > 1 && n < 200);
  stralloc_free(&home);
  for (n = 1; n < 200; ++n) {
    struct userdb_user u = {.active = 0};
    enum userdb_result r;

    check_nomem(n);
    r = userdb_user_get(&db, "alice", "example.com", &u, &e);
    check_nomem(0);
    CHECK(r == USERDB_FOUND || r == USERDB_TEMPFAIL);
    userdb_user_free(&u);
    if (r == USERDB_FOUND) break;
  }
}

int main(void) {
  const char *server = getenv("TEST_MYSQL"); /* run on it: lines for sql_mysql, see tests/box/lookup/test_mariadb.py */
  struct userdb_place place = {.driver = server ? &sql_mysql : &sql_sqlite, .is_file = !server};
  stralloc cmd = STRALLOC_INIT;

  CHECK(mkdtemp(dir) != 0);
  if (!place.is_file) CHECK(stralloc_copys(&place.where, server));
  else CHECK(stralloc_catm(&place.where, dir, "/userdb/users.db", (char *)0));
  CHECK(userdb_open(&db, &place, 0, &e) == -1);
  CHECK(userdb_domain_real(&db, "x", &cmd, &e) == USERDB_TEMPFAIL);
  CHECK(userdb_open(&db, &place, SQL_CREATE, &e) == 0);
  domains();
  users();
  secrets();
  codes();
  filters();
  aliases();
  no_memory();
  CHECK(userdb_domain_delete(&db, "example.com", &e) == USERDB_FOUND);
  CHECK(userdb_domain_delete(&db, "example.com", &e) == USERDB_NONE);
  userdb_close(&db);
  stralloc_cut(&cmd, 0);
  CHECK(stralloc_catm(&cmd, "rm -rf ", dir, (char *)0) && system(cmd.s) == 0);
  stralloc_free(&cmd);
  userdb_place_free(&place);
  return check_done();
}
