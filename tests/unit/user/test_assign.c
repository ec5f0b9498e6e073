/* users/assign: lines good and bad, the compiled form byte for byte, lookup, editing. */
#include "user/assign.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cdb.h"
#include "base/fd.h"
#include "base/file.h"
#include "check.h"

static char dir[] = "/tmp/test_assign.XXXXXX";

static const struct {
  const char *line;
  int want;
} lines[] = {
    {"=root:alias:1:2:/home:-:root:", 1}, {"+example.com-:example.com:5:6:/d:-::", 1},
    {"+:alias:1:2:/a:-::", 1},            {"=:a:1:2:/a:::", 0},
    {"=a:b:1:2:/h:::extra", 1},           {"=a:b:1:2:/h::", 0},
    {"=a:b:x:2:/h:::", 0},                {"=a:b:-1:2:/h:::", 0},
    {"=a:b:4294967296:2:/h:::", 0},       {"=a:b:4294967295:2:/h:::", 1},
    {"a:b:1:2:/h:::", 0},                 {"", 0},
    {"=", 0},
};

static const char text[] =
    "=Root:alias:10:20:/var/alias:-:root:\n"
    "# comment\n"
    "\n"
    "+example.com-:example.com:500:501:/d/example.com:-::\n"
    "+joe-:joe:1:2:/home/joe:-:pre-:\n"
    "+joe-x.:jox:3:4:/home/jox:-::\n"
    ".\n"
    "garbage after the end is not read\n";

static const struct {
  const char *local, *user, *home, *dash, *ext; /* user null: not found */
  uint32_t uid, gid;
} found[] = {
    {"root", "alias", "/var/alias", "-", "root", 10, 20},
    {"ROOT", "alias", "/var/alias", "-", "root", 10, 20},
    {"roo", 0, 0, 0, 0, 0, 0},
    {"root2", 0, 0, 0, 0, 0, 0},
    {"example.com-Alice.B-c", "example.com", "/d/example.com", "-", "Alice.B-c", 500, 501},
    {"Example.Com-", "example.com", "/d/example.com", "-", "", 500, 501},
    {"example.com", 0, 0, 0, 0, 0, 0},
    {"joe-list", "joe", "/home/joe", "-", "pre-list", 1, 2},
    {"joe-x.y", "jox", "/home/jox", "-", "y", 3, 4},
    {"joe-xy", "joe", "/home/joe", "-", "pre-xy", 1, 2},
    {"", 0, 0, 0, 0, 0, 0},
};

static void parse(void) {
  struct assign_line l;

  for (size_t i = 0; i < sizeof lines / sizeof *lines; ++i)
    CHECK_CASE(assign_parse(lines[i].line, strlen(lines[i].line), &l) == lines[i].want, lines[i].line);
}

static void lookup(void) {
  stralloc path = STRALLOC_INIT, cdb = STRALLOC_INIT;
  struct assign_user u = {0};
  struct strerr e;
  struct cdb c;

  CHECK(stralloc_catm(&path, dir, "/assign", (char *)0) && stralloc_catm(&cdb, dir, "/cdb", (char *)0));
  CHECK(assign_find(cdb.s, "root", 4, &u, &e) == 0);
  CHECK(assign_newu(dir, &e) == -1 && strstr(e.text, "assign") != 0);
  CHECK(file_replace(path.s, text, sizeof text - 1, 0644) == 0);
  CHECK(assign_newu(dir, &e) == 0);
  for (size_t i = 0; i < sizeof found / sizeof *found; ++i) {
    const char *local = found[i].local;
    int r = assign_find(cdb.s, local, strlen(local), &u, &e);

    CHECK_CASE(r == (found[i].user != 0), local);
    if (r != 1) continue;
    CHECK_CASE(!strcmp(u.user, found[i].user) && !strcmp(u.home, found[i].home), local);
    CHECK_CASE(!strcmp(u.dash, found[i].dash) && !strcmp(u.ext, found[i].ext), local);
    CHECK_CASE(u.uid == found[i].uid && u.gid == found[i].gid, local);
  }
  CHECK(cdb_open(&c, cdb.s) == 1);
  CHECK(cdb_find(&c, "!root", 6) == 1 && c.dlen == 29 && !memcmp(cdb_data(&c), "alias\0" "10\0" "20\0/var/alias\0-\0root", 29));
  CHECK(cdb_find(&c, "!joe-", 5) == 1 && c.dlen == 24);
  CHECK(cdb_find(&c, "", 0) == 1 && c.dlen == 2 && !memcmp(cdb_data(&c), "-.", 2));
  cdb_free(&c);
  /* data that ends in a NUL, as others write it */
  {
    struct cdb_make m;
    int fd = fd_open_trunc(cdb.s, 0644);

    CHECK(cdb_make_start(&m, fd) == 0);
    CHECK(cdb_make_add(&m, "!x-", 3, "u\0" "1\0" "2\0/h\0-\0", 12) == 0);
    CHECK(cdb_make_add(&m, "!bad", 5, "u\0" "1\0", 4) == 0);
    CHECK(cdb_make_add(&m, "", 0, "-", 1) == 0);
    CHECK(cdb_make_finish(&m) == 0);
    cdb_make_free(&m);
    close(fd);
    CHECK(assign_find(cdb.s, "x-rest", 6, &u, &e) == 1 && !strcmp(u.ext, "rest"));
    CHECK(assign_find(cdb.s, "bad", 3, &u, &e) == -1);
  }
  CHECK(file_replace(cdb.s, "short", 5, 0644) == 0);
  CHECK(assign_find(cdb.s, "root", 4, &u, &e) == -1);
  assign_user_free(&u);
  stralloc_free(&path);
  stralloc_free(&cdb);
}

/* A file that cannot be compiled leaves the old cdb in place and names the line. */
static void refused(void) {
  static const struct {
    const char *text, *want;
  } cases[] = {
      {"=a:b:1:2:/h:::\n", "assign:2: the line \".\""},
      {"", "assign:1: the line \".\""},
      {"=a:b:1:2:/h:::\n.", "assign:2: the line does not end"},
      {"x\n.\n", "assign:1: malformed"},
  };
  stralloc path = STRALLOC_INIT, cdb = STRALLOC_INIT, was = STRALLOC_INIT, is = STRALLOC_INIT;
  struct strerr e;

  CHECK(stralloc_catm(&path, dir, "/assign", (char *)0) && stralloc_catm(&cdb, dir, "/cdb", (char *)0));
  CHECK(file_read(cdb.s, &was, 1 << 20) == 1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    CHECK(file_replace(path.s, cases[i].text, strlen(cases[i].text), 0644) == 0);
    CHECK_CASE(assign_newu(dir, &e) == -1, cases[i].text);
    CHECK_CASE(strstr(e.text, cases[i].want) != 0, e.text);
    CHECK(file_read(cdb.s, &is, 1 << 20) == 1 && is.len == was.len && !memcmp(is.s, was.s, is.len));
  }
  stralloc_free(&path);
  stralloc_free(&cdb);
  stralloc_free(&was);
  stralloc_free(&is);
}

static void edit(void) {
  stralloc a = STRALLOC_INIT, b = STRALLOC_INIT;

  CHECK(assign_with("", 0, "=a:b:1:2:/:::", &a) == 0 && stralloc_equals(&a, "=a:b:1:2:/:::\n.\n"));
  CHECK(assign_with(a.s, a.len, "+c-:d:1:2:/:::", &b) == 0);
  CHECK(stralloc_equals(&b, "=a:b:1:2:/:::\n+c-:d:1:2:/:::\n.\n"));
  CHECK(assign_without(b.s, b.len, "+c-", &a) == 1 && stralloc_equals(&a, "=a:b:1:2:/:::\n.\n"));
  CHECK(assign_without(a.s, a.len, "+a", &b) == 0 && stralloc_equals(&b, a.s));
  CHECK(assign_without("no end", 6, "+a", &b) == 0 && stralloc_equals(&b, "no end\n.\n"));
  stralloc_free(&a);
  stralloc_free(&b);
}

int main(void) {
  stralloc cmd = STRALLOC_INIT;

  CHECK(mkdtemp(dir) != 0);
  parse();
  lookup();
  refused();
  edit();
  CHECK(stralloc_catm(&cmd, "rm -rf ", dir, (char *)0) && system(cmd.s) == 0);
  stralloc_free(&cmd);
  return check_done();
}
