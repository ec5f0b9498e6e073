/* Delivery into a Maildir: content, a second delivery of the same message, and what failure leaves behind. */
#include "user/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "check.h"

static char root[] = "/tmp/test_maildir.XXXXXX";

static int message(const char *text, size_t n) {
  char name[] = "/tmp/test_maildir.msg.XXXXXX";
  int fd = mkstemp(name);

  unlink(name);
  CHECK(fd_write_all(fd, text, n) == 0);
  return fd;
}

/* Number of files in dir; the last one's name into name. */
static int entries(const char *dir, stralloc *name) {
  DIR *d = opendir(dir);
  struct dirent *de;
  int n = 0;

  while (d && (de = readdir(d)) != 0)
    if (de->d_name[0] != '.') {
      ++n;
      CHECK(stralloc_copys(name, dir) && stralloc_append(name, '/') && stralloc_cats(name, de->d_name));
    }
  if (d) closedir(d);
  return n;
}

static void create(const char *dir) {
  static const char *const sub[] = {"", "/cur", "/new", "/tmp"};
  struct strerr e;
  stralloc s = STRALLOC_INIT;
  struct stat st;

  CHECK(maildir_create(dir, 0700, 0, &e) == -1 && e.sys == ENOENT);
  CHECK(maildir_create(dir, 0700, 1, &e) == 0);
  CHECK(maildir_create(dir, 0700, 1, &e) == 0);
  for (size_t i = 0; i < sizeof sub / sizeof *sub; ++i) {
    CHECK(stralloc_copys(&s, dir) && stralloc_cats(&s, sub[i]));
    CHECK_CASE(stat(s.s, &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0700, s.s);
  }
  stralloc_free(&s);
}

/* Messages around the size of the copy buffer, with heads short and long. */
static void deliver(const char *dir) {
  static const size_t sizes[] = {0, 1, 2000, 32767, 32768, 32769, 100000};
  static const size_t heads[] = {0, 40, 20000};
  static char text[100000], head[20000];
  char suffix[32];
  stralloc new = STRALLOC_INIT, name = STRALLOC_INIT, got = STRALLOC_INIT;
  struct strerr e;

  memset(head, 'h', sizeof head);
  for (size_t i = 0; i < sizeof text; ++i) text[i] = (char)('a' + i % 26);
  CHECK(stralloc_copys(&new, dir) && stralloc_cats(&new, "/new"));
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i)
    for (size_t j = 0; j < sizeof heads / sizeof *heads; ++j) {
      int fd = message(text, sizes[i]);
      struct stat st;

      snprintf(suffix, sizeof suffix, ",S=%zu", sizes[i] + heads[j]);
      CHECK_CASE(maildir_deliver(dir, fd, head, heads[j], i % 2 ? "1763703601000000.1" : "", &e) == DELIVER_OK, suffix);
      CHECK_CASE(entries(new.s, &name) == 1, suffix);
      CHECK_CASE(strstr(stralloc_cstr(&name), suffix) != 0, name.s);
      CHECK(stat(name.s, &st) == 0 && (st.st_mode & 0777) == 0600);
      CHECK(file_read(name.s, &got, 1 << 20) == 1 && got.len == sizes[i] + heads[j]);
      CHECK(!memcmp(got.s, head, heads[j]) && !memcmp(got.s + heads[j], text, sizes[i]));
      CHECK(unlink(name.s) == 0);
      close(fd);
    }
  CHECK(stralloc_copys(&new, dir) && stralloc_cats(&new, "/tmp") && entries(new.s, &name) == 0);
  stralloc_free(&new);
  stralloc_free(&name);
  stralloc_free(&got);
}

/* What another delivery of the same message finds under its name, and makes of it. */
static void again(const char *dir) {
#define HEAD "Return-Path: <a@example.com>\n"
#define TEXT "Received: x\n\nhello, hello, hello\n"
  static const char whole[] = HEAD TEXT;
  static const struct {
    const char *name;
    size_t keep, zeros, zeros_at; /* so much of it, with so many zeros there */
    const char *other;
    int files;
  } cases[] = {
      {"whole", sizeof whole - 1, 0, 0, 0, 1},
      {"nothing of it", 0, 0, 0, 0, 1},
      {"a beginning", 20, 0, 0, 0, 1},
      {"its length", sizeof whole - 1, sizeof whole - 1, 0, 0, 1},
      {"zeros within", sizeof whole - 1, 9, 30, 0, 1},
      {"zeros at its end", 30, 10, 20, 0, 1},
      {"another of its length", 0, 0, 0, "Return-Path: <a@example.com>\nReceived: y\n\nhello, hello, hello\n", 2},
      {"the beginning of another", 0, 0, 0, "Return-Path: <b", 2},
      {"it, and more", 0, 0, 0, HEAD TEXT ".", 2},
      {"it, and a zero", sizeof whole, 0, 0, 0, 2},
  };
  stralloc new = STRALLOC_INIT, name = STRALLOC_INIT, got = STRALLOC_INIT, first = STRALLOC_INIT;
  int fd = message(TEXT, sizeof TEXT - 1);
  struct strerr e;

  CHECK(stralloc_copys(&new, dir) && stralloc_cats(&new, "/new"));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    char found[256];
    size_t n = cases[i].other ? strlen(cases[i].other) : cases[i].keep;
    int to;

    memcpy(found, cases[i].other ? cases[i].other : whole, n);
    memset(found + cases[i].zeros_at, 0, cases[i].zeros);
    CHECK(maildir_deliver(dir, fd, HEAD, strlen(HEAD), "1763703601000000.1", &e) == DELIVER_OK && entries(new.s, &name) == 1);
    CHECK(stralloc_copys(&first, stralloc_cstr(&name)));
    to = fd_open_trunc(first.s, 0600);
    CHECK(fd_write_all(to, found, n) == 0 && close(to) == 0);
    CHECK_CASE(maildir_deliver(dir, fd, HEAD, strlen(HEAD), "1763703601000000.1", &e) == DELIVER_OK, cases[i].name);
    CHECK_CASE(entries(new.s, &name) == cases[i].files, cases[i].name);
    CHECK(file_read(first.s, &got, 1 << 20) != -1);
    if (cases[i].files == 1) CHECK_CASE(stralloc_equals(&got, whole), cases[i].name);
    else CHECK_CASE(got.len == n && !memcmp(got.s, found, n), cases[i].name); /* nobody's mail is touched */
    while (entries(new.s, &name)) CHECK(unlink(name.s) == 0);
  }
  CHECK(stralloc_copys(&new, dir) && stralloc_cats(&new, "/tmp") && entries(new.s, &name) == 0);
  /* Without an id, or for another address, each is a message. */
  CHECK(stralloc_copys(&new, dir) && stralloc_cats(&new, "/new"));
  for (int i = 0; i < 2; ++i) {
    CHECK(maildir_deliver(dir, fd, HEAD, strlen(HEAD), "", &e) == DELIVER_OK);
    CHECK(maildir_deliver(dir, fd, HEAD, strlen(HEAD), "who", &e) == DELIVER_OK);
    CHECK(maildir_deliver(dir, fd, HEAD, strlen(HEAD), "1763703601000000", &e) == DELIVER_OK);
    CHECK(maildir_deliver(dir, fd, "Return-Path: <c>\n", 17, "1763703601000000", &e) == DELIVER_OK);
  }
  CHECK(entries(new.s, &name) == 6);
  while (entries(new.s, &name)) CHECK(unlink(name.s) == 0);
  close(fd);
  stralloc_free(&new);
  stralloc_free(&name);
  stralloc_free(&got);
  stralloc_free(&first);
}

static void failures(const char *dir) {
  struct strerr e;
  stralloc sub = STRALLOC_INIT, name = STRALLOC_INIT;
  int fd = message("x", 1);

  CHECK(maildir_deliver("/nonexistent/Maildir", fd, "", 0, "", &e) == DELIVER_TEMP && e.sys == ENOENT);
  /* A missing new/ leaves nothing in tmp/. */
  CHECK(stralloc_copys(&sub, dir) && stralloc_cats(&sub, "/new") && rmdir(sub.s) == 0);
  CHECK(maildir_deliver(dir, fd, "", 0, "", &e) == DELIVER_TEMP && e.sys == ENOENT);
  CHECK(stralloc_copys(&sub, dir) && stralloc_cats(&sub, "/tmp") && entries(sub.s, &name) == 0);
  /* So does memory running out at any allocation. */
  CHECK(maildir_create(dir, 0700, 0, &e) == 0);
  for (long n = 1; n < 20; ++n) {
    check_nomem(n);
    if (maildir_deliver(dir, fd, "", 0, "", &e) == DELIVER_OK) {
      check_nomem(0);
      CHECK(n > 1);
      break;
    }
    check_nomem(0);
    CHECK(entries(sub.s, &name) == 0);
  }
  close(fd);
  CHECK(maildir_deliver(dir, -1, "", 0, "", &e) == DELIVER_TEMP && e.sys == EBADF);
  stralloc_free(&sub);
  stralloc_free(&name);
}

int main(void) {
  stralloc dir = STRALLOC_INIT, cmd = STRALLOC_INIT;

  umask(0);
  CHECK(mkdtemp(root) != 0);
  CHECK(stralloc_copys(&dir, root) && stralloc_cats(&dir, "/a/b/Maildir"));
  create(dir.s);
  deliver(dir.s);
  again(dir.s);
  failures(dir.s);
  CHECK(stralloc_catm(&cmd, "rm -rf ", root, (char *)0) && system(cmd.s) == 0);
  stralloc_free(&dir);
  stralloc_free(&cmd);
  return check_done();
}
