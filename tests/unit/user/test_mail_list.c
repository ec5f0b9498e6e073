/* Two copies of a home: what is deleted in one is deleted, whatever the flags; what only one ever had stays. */
#include "user/mail_list.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "check.h"

static char dir[] = "/tmp/mail_list.XXXXXX";
static stralloc list = STRALLOC_INIT;

static const char *at(stralloc *path, const char *home, const char *name) {
  stralloc_cut(path, 0);
  CHECK(stralloc_catm(path, dir, "/", home, "/", name, (char *)0));
  return path->s;
}

static int there(const char *home, const char *name) {
  stralloc path = STRALLOC_INIT;
  int r = access(at(&path, home, name), F_OK) == 0;

  stralloc_free(&path);
  return r;
}

/* Each of these messages in a home, where its letter says so. */
static const struct {
  const char *listed; /* when the list was made; null: not there */
  const char *in_old, *in_new;
  int old_stays, new_stays;
} cases[] = {
    {"Maildir/new/same", "Maildir/new/same", "Maildir/new/same", 1, 1},
    {"Maildir/new/read", "Maildir/cur/read:2,S", "Maildir/new/read", 1, 1},
    {"Maildir/cur/flags:2,", "Maildir/cur/flags:2,S", "Maildir/cur/flags:2,FR", 1, 1},
    {"Maildir/new/deleted", 0, "Maildir/new/deleted", 0, 0},
    {"Maildir/new/readdeleted", 0, "Maildir/cur/readdeleted:2,S", 0, 0},
    {"Maildir/cur/newdeleted:2,S", "Maildir/cur/newdeleted:2,S", 0, 0, 0},
    {"Maildir/.Work.a/cur/folder:2,", 0, "Maildir/.Work.a/cur/folder:2,", 0, 0},
    {"Maildir/cur/moved:2,S", "Maildir/.Work.a/cur/moved:2,S", "Maildir/cur/moved:2,S", 1, 0},
    {0, "Maildir/new/late", 0, 1, 0},
    {0, 0, "Maildir/new/later", 0, 1},
    {"Maildir/new/gone", 0, 0, 0, 0},
    {"Maildir/maildirsize", 0, "Maildir/maildirsize", 0, 1}, /* no message */
    {"new/home", 0, "new/home", 0, 0},
    {"Maildir/new/same2", "Maildir/new/same2", "Maildir/new/same2", 1, 1},
};

static void make(const char *home, const char *name) {
  stralloc path = STRALLOC_INIT;

  if (name) CHECK(file_replace(at(&path, home, name), "x", 1, 0600) == 0);
  stralloc_free(&path);
}

static void start(const char *home) {
  static const char *const dirs[] = {"", "new", "Maildir", "Maildir/new", "Maildir/cur", "Maildir/tmp", "Maildir/.Work.a", "Maildir/.Work.a/new", "Maildir/.Work.a/cur"};
  stralloc path = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof dirs / sizeof *dirs; ++i) CHECK(mkdir(at(&path, home, dirs[i]), 0700) == 0);
  stralloc_free(&path);
}

int main(void) {
  stralloc old = STRALLOC_INIT, new = STRALLOC_INIT, first = STRALLOC_INIT, command = STRALLOC_INIT;
  struct strerr e;

  CHECK(mkdtemp(dir) && stralloc_catm(&list, dir, "/list", (char *)0));
  start("first");
  start("old");
  start("new");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    make("first", cases[i].listed);
    make("old", cases[i].in_old);
    make("new", cases[i].in_new);
  }
  make("first", "Maildir/new/odd\nname");
  make("new", "Maildir/new/odd\nname");
  at(&first, "first", "");
  at(&old, "old", "");
  at(&new, "new", "");
  CHECK(mail_list_settle(list.s, old.s, new.s, &e) == 0 && there("new", "Maildir/new/deleted")); /* no list */
  CHECK(mail_list_write(first.s, list.s, &e) == 0);
  for (int again = 0; again < 2; ++again) {
    CHECK(mail_list_settle(list.s, old.s, new.s, &e) == 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
      if (cases[i].in_old) CHECK_CASE(there("old", cases[i].in_old) == cases[i].old_stays, cases[i].in_old);
      if (cases[i].in_new) CHECK_CASE(there("new", cases[i].in_new) == cases[i].new_stays, cases[i].in_new);
    }
    CHECK(there("new", "Maildir/new/odd\nname"));
  }
  CHECK(mail_list_settle(list.s, "/nonexistent", new.s, &e) == -1 && there("new", "Maildir/new/same"));
  CHECK(mail_list_remove(list.s, &e) == 0 && mail_list_remove(list.s, &e) == 0 && access(list.s, F_OK) == -1);
  CHECK(mail_list_write("/nonexistent", list.s, &e) == -1);
  CHECK(stralloc_catm(&command, "rm -rf ", dir, (char *)0) && system(command.s) == 0);
  stralloc_free(&old);
  stralloc_free(&new);
  stralloc_free(&first);
  stralloc_free(&command);
  stralloc_free(&list);
  return check_done();
}
