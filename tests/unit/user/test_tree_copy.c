/* A Maildir that is copied while it is used, and then again: each message once, with its last flags. */
#include "user/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "check.h"

static const struct {
  const char *first, *then; /* its name when it is copied, and when it is copied again */
  const char *there, *last; /* what it was renamed to in the copy, and is there in the end; null: as then */
} cases[] = {
    {"new/1.a", "new/1.a", 0, 0},
    {"new/2.a", "cur/2.a:2,S", 0, 0},
    {"new/3.a", "cur/3.a:2,", 0, 0},
    {"cur/4.a:2,", "cur/4.a:2,S", 0, 0},
    {"cur/5.a:2,F", "cur/5.a:2,", 0, "cur/5.a:2,F"},
    {"cur/6.a:2,S", "cur/6.a:2,RS", "cur/6.a:2,FS", "cur/6.a:2,FRS"},
    {"cur/7.a:2,S", "cur/7.a:2,S", 0, 0},
    {0, "cur/7.ab:2,S", 0, 0},
    {0, "new/8.a", 0, 0},
    {0, "cur/9.a:2,", 0, 0},
    {"new/10.a", "new/10.a", "cur/10.a:2,S", "cur/10.a:2,S"},
    {"new/11.a", "cur/11.a:2,", "cur/11.a:2,S", "cur/11.a:2,S"},
};

static void write_one(const char *name) {
  char path[64];

  snprintf(path, sizeof path, "from/%s", name);
  CHECK(file_replace(path, name, strlen(name), 0600) == 0);
}

int main(void) {
  char dir[] = "/tmp/tree-copy.XXXXXX";
  struct strerr e;

  CHECK(mkdtemp(dir) && chdir(dir) == 0);
  CHECK(mkdir("from", 0700) == 0 && mkdir("from/new", 0700) == 0 && mkdir("from/cur", 0700) == 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
    if (cases[i].first) write_one(cases[i].first);
  CHECK(tree_copy("from", "to", 0, 0, &e) == 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    char a[64], b[64];

    snprintf(a, sizeof a, "from/%s", cases[i].first ? cases[i].first : "");
    snprintf(b, sizeof b, "from/%s", cases[i].then);
    if (!cases[i].first) write_one(cases[i].then);
    else CHECK(rename(a, b) == 0);
    if (!cases[i].there) continue;
    snprintf(a, sizeof a, "to/%s", cases[i].first);
    snprintf(b, sizeof b, "to/%s", cases[i].there);
    CHECK(rename(a, b) == 0);
  }
  CHECK(tree_copy("from", "to", 0, 0, &e) == 0);
  CHECK(tree_copy("from", "to", 0, 0, &e) == 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    char path[64];

    snprintf(path, sizeof path, "to/%s", cases[i].last ? cases[i].last : cases[i].then);
    CHECK_CASE(unlink(path) == 0, cases[i].then);
  }
  CHECK(rmdir("to/new") == 0 && rmdir("to/cur") == 0); /* there were no others */
  CHECK(chdir("/") == 0 && tree_remove(dir, &e) == 0);
  return check_done();
}
