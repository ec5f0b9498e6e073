/* Which names a domain's .qmail files take, as qmail-local would choose among them. */
#include "user/catchall.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "check.h"

#define BOUNCE "| /usr/sbin/vdelivermail '' bounce-no-mailbox\n"

static const struct {
  const char *file, *text; /* null: none */
  const char *user;
  enum userdb_result want;
} cases[] = {
    {0, 0, "joe", USERDB_NONE},
    {"default", BOUNCE, "joe", USERDB_NONE},
    {"default", "| /usr/sbin/vdelivermail '' bounce-no-mailbox \t", "joe", USERDB_NONE},
    {"default", "| /usr/sbin/vdelivermail '' bob@example.com\n", "joe", USERDB_FOUND},
    {"default", "| /usr/sbin/vdelivermail '' delete\n", "joe", USERDB_FOUND},
    {"default", "&bob@example.com\n", "joe", USERDB_FOUND},
    {"default", "", "joe", USERDB_FOUND},
    {"default", "&x\n", "", USERDB_FOUND},
    {"default", "&x\n", "a/b", USERDB_FOUND},
    {"default", "&x\n", "../b", USERDB_FOUND},
    {"joe", "&bob@example.com\n", "joe", USERDB_FOUND},
    {"joe", "&bob@example.com\n", "jo", USERDB_NONE},
    {"joe", "&bob@example.com\n", "joey", USERDB_NONE},
    {"j:oe", "&bob@example.com\n", "j.oe", USERDB_FOUND},
    {"list-default", "&bob@example.com\n", "list-any-thing", USERDB_FOUND},
    {"list-default", "&bob@example.com\n", "list-", USERDB_FOUND},
    {"list-default", "&bob@example.com\n", "list", USERDB_NONE},
    {"list-default", "&bob@example.com\n", "lists-x", USERDB_NONE},
};

int main(void) {
  char dir[] = "/tmp/test_catchall.XXXXXX";
  char path[300], huge[400];
  struct strerr e;

  CHECK(mkdtemp(dir) != 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    snprintf(path, sizeof path, "%s/.qmail-%s", dir, cases[i].file ? cases[i].file : "");
    if (cases[i].file) CHECK(file_replace(path, cases[i].text, strlen(cases[i].text), 0600) == 0);
    CHECK_CASE(catchall_find(dir, cases[i].user, &e) == cases[i].want, cases[i].user);
    if (cases[i].file) unlink(path);
  }
  memset(huge, 'a', sizeof huge);
  huge[sizeof huge - 1] = 0;
  CHECK(catchall_find(dir, huge, &e) == USERDB_NONE);
  /* What cannot be read is not "no such user". */
  snprintf(path, sizeof path, "%s/.qmail-default", dir);
  CHECK(mkdir(path, 0700) == 0);
  CHECK(catchall_find(dir, "joe", &e) == USERDB_TEMPFAIL && strstr(e.text, ".qmail-default"));
  CHECK(catchall_find("/nowhere/at/all", "joe", &e) == USERDB_NONE);
  for (long n = 1; n < 4; ++n) {
    check_nomem(n);
    CHECK(catchall_find(dir, "joe", &e) == USERDB_TEMPFAIL);
    check_nomem(0);
  }
  rmdir(path);
  rmdir(dir);
  return check_done();
}
