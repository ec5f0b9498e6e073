/* Names of senders as names of files, and how often one is answered. */
#include "local/answered.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static char dir[] = "/tmp/test_answered.XXXXXX";

static void names(void) {
  static const struct {
    const char *address, *name;
  } cases[] = {{"a@b.example", "a@b.example"}, {"A@B.example", "a@b.example"}, {"../../etc/passwd@x", "=2e./../../etc/passwd@x"}, {".@x", "=2e@x"},
               {"a/b@x", "a=2fb@x"}, {"=41@x", "=3d41@x"}, {"a b\n@x", "a=20b=0a@x"}, {"\xc3\xa4@x", "=c3=a4@x"}};
  char longest[600];
  stralloc name = STRALLOC_INIT, other = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    CHECK_CASE(answered_name(cases[i].address, &name), cases[i].address);
    if (i != 2) CHECK_CASE(stralloc_equals(&name, cases[i].name), cases[i].address);
    CHECK_CASE(!strchr(name.s, '/') && name.s[0] != '.', cases[i].address);
  }
  memset(longest, 'a', sizeof longest);
  longest[599] = 0;
  CHECK(answered_name(longest, &name) && name.len <= 255);
  longest[598] = 'b';
  CHECK(answered_name(longest, &other) && !stralloc_equals(&other, name.s));
  CHECK(!answered_name("", &name));
  stralloc_free(&name);
  stralloc_free(&other);
}

static int may(const char *who, uint64_t max, int64_t seconds, int64_t now) {
  stralloc path = STRALLOC_INIT;
  struct strerr e;
  int r;

  CHECK(stralloc_catm(&path, dir, "/sub", (char *)0));
  r = answered_may(path.s, who, max, seconds, now, &e);
  stralloc_free(&path);
  return r;
}

int main(void) {
  stralloc cmd = STRALLOC_INIT;

  names();
  CHECK(mkdtemp(dir) != 0);
  CHECK(may("a@b", 1, 100, 1000) == 1 && may("a@b", 1, 100, 1050) == 0 && may("A@B", 1, 100, 1100) == 0 && may("c@b", 1, 100, 1050) == 1);
  CHECK(may("a@b", 1, 100, 1101) == 1 && may("a@b", 1, 100, 1102) == 0);
  for (int i = 0; i < 3; ++i) CHECK(may("d@b", 3, 100, 2000 + i) == 1);
  CHECK(may("d@b", 3, 100, 2003) == 0 && may("d@b", 3, 100, 2101) == 1);
  CHECK(may("e@b", 1, -1, 1000) == 1 && may("e@b", 1, -1, 1000000000) == 0);
  CHECK(may("f@b", 0, 100, 1000) == 0);
  /* what is no file is not written to, nor waited for */
  CHECK(stralloc_catm(&cmd, "ln -s /dev/null ", dir, "/sub/g@b; mkfifo ", dir, "/sub/h@b; chmod 700 ", dir, (char *)0) && system(cmd.s) == 0);
  CHECK(may("g@b", 1, 100, 1000) == -1);
  CHECK(may("h@b", 1, 100, 1000) == -1);
  stralloc_cut(&cmd, 0);
  CHECK(stralloc_catm(&cmd, "rm -rf ", dir, (char *)0) && system(cmd.s) == 0);
  stralloc_free(&cmd);
  return check_done();
}
