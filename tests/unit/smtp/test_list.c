/* Lists as files: plain, patterns, database and what they say together; expressions; what is
 * read once and what again; files that are broken. */
#include "smtp/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cdb.h"
#include "base/fd.h"
#include "base/file.h"
#include "check.h"

static char dir[] = "/tmp/test_list.XXXXXX";

static const char *path(const char *name) {
  static char p[128];

  snprintf(p, sizeof p, "%s/%s", dir, name);
  return p;
}

/* A null text takes the file away. */
static void put(const char *name, const char *text) {
  if (text) CHECK(file_replace(path(name), text, strlen(text), 0644) == 0);
  else unlink(path(name));
}

/* Keys, each ended by a blank. */
static void put_cdb(const char *name, const char *keys) {
  struct cdb_make m;
  int fd;

  if (!keys) {
    unlink(path(name));
    return;
  }
  fd = fd_open_trunc(path(name), 0644);
  CHECK(fd != -1 && cdb_make_start(&m, fd) == 0);
  for (size_t n; *keys; keys += n + 1) {
    n = strcspn(keys, " ");
    CHECK(cdb_make_add(&m, keys, n, "", 0) == 0);
  }
  CHECK(cdb_make_finish(&m) == 0);
  cdb_make_free(&m);
  fd_close(fd);
}

static const struct {
  const char *name, *plain, *patterns, *cdb, *qregex, *subject;
  enum list_verdict want;
} cases[] = {
    {"nothing", 0, 0, 0, 0, "a@b.c", LIST_NO},
    {"plain", "A@b.c\n", 0, 0, 0, "a@B.c", LIST_YES},
    {"plain, other", "a@b.c\n", 0, 0, 0, "x@b.c", LIST_NO},
    {"wildcard in the list", "*@b.c\n", 0, 0, 0, "x@b.c", LIST_YES},
    {"patterns alone", 0, "*@b.c\n", 0, 0, "x@b.c", LIST_YES},
    {"patterns take back", "@b.c\n", "!x*\n", 0, 0, "xy@b.c", LIST_NO},
    {"patterns after the list", "!x@b.c\n", "@b.c\n", 0, 0, "x@b.c", LIST_YES},
    {"database: address", 0, 0, "a@b.c ", 0, "A@B.c", LIST_YES},
    {"database: domain", 0, 0, "@b.c ", 0, "a@b.C", LIST_YES},
    {"database: below", 0, 0, ".c ", 0, "a@x.b.c", LIST_YES},
    {"database: below with @", 0, 0, "@.b.c ", 0, "a@x.b.c", LIST_YES},
    {"database: not itself", 0, 0, ".b.c ", 0, "a@b.c", LIST_NO},
    {"database: exact takes back", 0, 0, "@b.c !a@b.c ", 0, "a@b.c", LIST_NO},
    {"database: exact against taken back", 0, 0, "!@b.c a@b.c ", 0, "a@b.c", LIST_YES},
    {"plain and database", "x@b.c\n", 0, "a@b.c ", 0, "a@b.c", LIST_YES},
    {"plain takes back from the database", "!a@b.c\n", 0, "@b.c ", 0, "a@b.c", LIST_NO},
    {"null sender", "<>\n", 0, 0, 0, "", LIST_YES},
    {"expression", "^a.*@b\n", 0, 0, "1", "abc@b.c", LIST_YES},
    {"expression, patterns not read", "^a\n", "*\n", 0, "1", "b@c", LIST_NO},
    {"expression and database", "^a\n", 0, "b@c ", "1", "b@c", LIST_YES},
    {"expression that is none without qregex", "^a.*@b\n", 0, 0, "0", "abc@b.c", LIST_NO},
    {"expression that explodes", "^(a+)+$\n", 0, 0, "1", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b", LIST_FAILED},
};

static void load(struct conf *conf) {
  struct strerr e;

  CHECK(conf_load(conf, CONF_SMTPD, &e) == 0);
}

static void together(void) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    struct list_cache cache = {0};
    struct lists l;
    struct conf conf;
    struct strerr e;

    put("badmailfrom", cases[i].plain);
    put("badmailpatterns", cases[i].patterns);
    put_cdb("badmailfrom.cdb", cases[i].cdb);
    put("qregex", cases[i].qregex);
    load(&conf);
    CHECK_CASE(lists_open(&l, &cache, &conf, &e) == 0, cases[i].name);
    CHECK_CASE(list_match(&l, LIST_badmailfrom, cases[i].subject, strlen(cases[i].subject), 0, &e) == cases[i].want, cases[i].name);
    CHECK_CASE(list_is_there(&l, LIST_badmailfrom) == (cases[i].plain || cases[i].patterns || cases[i].cdb), cases[i].name);
    lists_close(&l);
    lists_close(&l);
    list_cache_free(&cache);
    conf_free(&conf);
  }
  put("badmailfrom", 0);
  put("badmailpatterns", 0);
  put_cdb("badmailfrom.cdb", 0);
  put("qregex", 0);
}

static enum list_verdict ask(const struct lists *l, const char *subject) {
  struct strerr e;

  return list_match(l, LIST_badmailfrom, subject, strlen(subject), 0, &e);
}

/* Snapshots share what they read; a changed file is read again, and whoever has begun keeps his. */
static void shared(void) {
  struct list_cache cache = {0};
  struct lists a, b, c;
  struct conf conf;
  struct strerr e;

  put("badmailfrom", "a@b\n");
  put("badrcptto", "x@y\n");
  load(&conf);
  CHECK(lists_open(&a, &cache, &conf, &e) == 0 && lists_open(&b, &cache, &conf, &e) == 0);
  CHECK(a.of[LIST_badmailfrom] == b.of[LIST_badmailfrom]);
  put("badmailfrom", "c@d\n");
  CHECK(lists_open(&c, &cache, &conf, &e) == 0);
  CHECK(c.of[LIST_badmailfrom] != b.of[LIST_badmailfrom] && c.of[LIST_badrcptto] == b.of[LIST_badrcptto]);
  CHECK(ask(&a, "a@b") == LIST_YES && ask(&c, "a@b") == LIST_NO && ask(&c, "c@d") == LIST_YES);
  lists_close(&a);
  lists_close(&b);
  lists_close(&c);
  CHECK(lists_open(&a, &cache, &conf, &e) == 0 && ask(&a, "c@d") == LIST_YES);
  lists_close(&a);
  conf_free(&conf);
  list_cache_free(&cache);
  list_cache_free(&cache);
  put("badrcptto", 0);
}

static void other_names(void) {
  struct list_cache cache = {0};
  struct lists l;
  struct conf conf;
  struct strerr e;

  put("badmailfrom", 0);
  put("badmailfrompatterns", "*@b\n");
  load(&conf);
  CHECK(lists_open(&l, &cache, &conf, &e) == 0 && ask(&l, "a@b") == LIST_YES);
  lists_close(&l);
  conf_free(&conf);
  setenv("BADMAILFROM", "other", 1);
  put("other", "o@o\n");
  load(&conf);
  CHECK(lists_open(&l, &cache, &conf, &e) == 0 && ask(&l, "o@o") == LIST_YES);
  lists_close(&l);
  conf_free(&conf);
  unsetenv("BADMAILFROM");
  list_cache_free(&cache);
  put("badmailfrompatterns", 0);
  put("other", 0);
}

static void broken(void) {
  struct list_cache cache = {0};
  struct lists l;
  struct conf conf;
  struct strerr e;

  put("qregex", "1\n");
  put("badmailfrom", "ok\n(\n");
  load(&conf);
  CHECK(lists_open(&l, &cache, &conf, &e) == -1 && strstr(e.text, "/badmailfrom:2: not a regular expression") != 0);
  conf_free(&conf);
  put("qregex", 0);
  put("badmailfrom", 0);
  put("badmailfrom.cdb", "this is no database");
  load(&conf);
  CHECK(lists_open(&l, &cache, &conf, &e) == -1 && strstr(e.text, "/badmailfrom.cdb") != 0);
  put_cdb("badmailfrom.cdb", "a@b ");
  CHECK(lists_open(&l, &cache, &conf, &e) == 0 && ask(&l, "a@b") == LIST_YES);
  put("badmailfrom.cdb", "this is no database");
  CHECK(ask(&l, "a@b") == LIST_FAILED);
  put("badmailfrom.cdb", 0);
  CHECK(ask(&l, "a@b") == LIST_NO);
  lists_close(&l);
  conf_free(&conf);
  list_cache_free(&cache);
}

/* Out of memory is an error, never an empty list. */
static void no_memory(void) {
  int ok = 0;

  put("badmailfrom", "a@b\n");
  put("badmailpatterns", "*c\n");
  for (long n = 1; !ok && n < 200; ++n) {
    struct list_cache cache = {0};
    struct lists l;
    struct conf conf;
    struct strerr e;

    load(&conf);
    check_nomem(n);
    if (lists_open(&l, &cache, &conf, &e) == 0) {
      ok = check_allocs() < n;
      check_nomem(0);
      CHECK(ask(&l, "a@b") == LIST_YES && ask(&l, "abc") == LIST_YES);
    }
    check_nomem(0);
    lists_close(&l);
    list_cache_free(&cache);
    conf_free(&conf);
  }
  CHECK(ok);
  put("badmailfrom", 0);
  put("badmailpatterns", 0);
}

int main(void) {
  CHECK(mkdtemp(dir) != 0);
  clearenv();
  setenv("CONTROLDIR", dir, 1);
  put("me", "mail.example\n");
  together();
  shared();
  other_names();
  broken();
  no_memory();
  put("me", 0);
  CHECK(rmdir(dir) == 0);
  return check_done();
}
