/* Which .qmail file speaks for an address. */
#include "local/dotqmail.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static void put(const char *name, const char *text, mode_t mode) {
  int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

  CHECK_CASE(fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, mode) == 0, name);
  close(fd);
}

static void find(void) {
  static const struct {
    const char *dash, *ext;
    enum dotqmail want;
    const char *name, *matched;
    int forward_only;
  } cases[] = {
      {"", "", DOTQMAIL_FOUND, ".qmail", 0, 0},
      {"-", "list", DOTQMAIL_FOUND, ".qmail-list", 0, 1},
      {"-", "LIST", DOTQMAIL_FOUND, ".qmail-list", 0, 1},
      {"-", "ann.lee", DOTQMAIL_FOUND, ".qmail-ann:lee", 0, 0},
      {"-", "list-a-b", DOTQMAIL_FOUND, ".qmail-list-default", "a-b", 0},
      {"-", "list-", DOTQMAIL_FOUND, ".qmail-list-default", "", 0},
      {"-", "list-A.b", DOTQMAIL_FOUND, ".qmail-list-default", "A.b", 0},
      {"-", "other", DOTQMAIL_NONE, 0, 0, 0},
      {"-", "listing", DOTQMAIL_NONE, 0, 0, 0},
      {"-", "../list", DOTQMAIL_NONE, 0, 0, 0},
      {"-", "list/x", DOTQMAIL_NONE, 0, 0, 0},
      {"-", "list-a/b", DOTQMAIL_FOUND, ".qmail-list-default", "a/b", 0},
      {"-", "open", DOTQMAIL_TEMP, 0, 0, 0},
      {"-", "dir", DOTQMAIL_TEMP, 0, 0, 0},
      {"", "x", DOTQMAIL_NONE, 0, 0, 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct dotqmail_file f = {0};
    struct strerr e;

    CHECK_CASE(dotqmail_find(cases[i].dash, cases[i].ext, &f, &e) == cases[i].want, cases[i].ext);
    if (cases[i].want == DOTQMAIL_FOUND) {
      CHECK_CASE(!strcmp(stralloc_cstr(&f.name), cases[i].name), cases[i].ext);
      CHECK_CASE(f.is_default == (cases[i].matched != 0), cases[i].ext);
      CHECK_CASE(!cases[i].matched || !strcmp(stralloc_cstr(&f.matched), cases[i].matched), cases[i].ext);
      CHECK_CASE(f.forward_only == cases[i].forward_only, cases[i].ext);
    }
    dotqmail_free(&f);
  }
}

static void owner(void) {
  static const struct {
    const char *ext, *suffix;
    int want;
  } cases[] = {
      {"list", "-owner", 1},
      {"LIST", "-owner", 1},
      {"list", "-owner-default", 0},
      {"other", "-owner", 0},
      {"list/x", "-owner", 0}, /* .qmail-list is a file, not a directory */
      {"../list", "-owner", 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct strerr e;

    CHECK_CASE(dotqmail_exists("-", cases[i].ext, cases[i].suffix, &e) == cases[i].want, cases[i].ext);
  }
}

int main(void) {
  char dir[] = "/tmp/dotqmail-XXXXXX";
  static const char *const files[] = {".qmail", ".qmail-list", ".qmail-ann:lee", ".qmail-list-default", ".qmail-list-owner", ".qmail-open"};

  CHECK(mkdtemp(dir) && chdir(dir) == 0 && mkdir(".qmail-dir", 0700) == 0);
  for (size_t i = 0; i < sizeof files / sizeof files[0]; ++i)
    put(files[i], "&a@b\n", !strcmp(files[i], ".qmail-open") ? 0622 : !strcmp(files[i], ".qmail-list") ? 0700 : 0600);
  find();
  owner();
  for (size_t i = 0; i < sizeof files / sizeof files[0]; ++i) unlink(files[i]);
  rmdir(".qmail-dir");
  CHECK(chdir("/") == 0 && rmdir(dir) == 0);
  return check_done();
}
