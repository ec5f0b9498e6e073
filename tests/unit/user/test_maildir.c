/* Delivery into a Maildir: names, content, and what failure leaves behind. */
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

static void names(void) {
  static const struct {
    int64_t us;
    pid_t pid;
    unsigned n;
    const char *host, *want;
  } cases[] = {
      {1700000000000001, 42, 0, "h.example", "1700000000.M1P42Q0.h.example"},
      {1700000000999999, 1, 7, "a/b:c", "1700000000.M999999P1Q7.a\\057b\\072c"},
      {0, 0, 0, "", "0.M0P0Q0."},
  };
  stralloc s = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
    CHECK_CASE(maildir_name(&s, cases[i].us, cases[i].pid, cases[i].n, cases[i].host) &&
                   stralloc_equals(&s, cases[i].want),
               cases[i].want);
  stralloc_free(&s);
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
      CHECK_CASE(maildir_deliver(dir, fd, head, heads[j], &e) == DELIVER_OK, suffix);
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

static void failures(const char *dir) {
  struct strerr e;
  stralloc sub = STRALLOC_INIT, name = STRALLOC_INIT;
  int fd = message("x", 1);

  CHECK(maildir_deliver("/nonexistent/Maildir", fd, "", 0, &e) == DELIVER_TEMP && e.sys == ENOENT);
  /* A missing new/ leaves nothing in tmp/. */
  CHECK(stralloc_copys(&sub, dir) && stralloc_cats(&sub, "/new") && rmdir(sub.s) == 0);
  CHECK(maildir_deliver(dir, fd, "", 0, &e) == DELIVER_TEMP && e.sys == ENOENT);
  CHECK(stralloc_copys(&sub, dir) && stralloc_cats(&sub, "/tmp") && entries(sub.s, &name) == 0);
  /* So does memory running out at any allocation. */
  CHECK(maildir_create(dir, 0700, 0, &e) == 0);
  for (long n = 1; n < 20; ++n) {
    check_nomem(n);
    if (maildir_deliver(dir, fd, "", 0, &e) == DELIVER_OK) {
      check_nomem(0);
      CHECK(n > 1);
      break;
    }
    check_nomem(0);
    CHECK(entries(sub.s, &name) == 0);
  }
  close(fd);
  CHECK(maildir_deliver(dir, -1, "", 0, &e) == DELIVER_TEMP && e.sys == EBADF);
  stralloc_free(&sub);
  stralloc_free(&name);
}

int main(void) {
  stralloc dir = STRALLOC_INIT, cmd = STRALLOC_INIT;

  umask(0);
  CHECK(mkdtemp(root) != 0);
  CHECK(stralloc_copys(&dir, root) && stralloc_cats(&dir, "/a/b/Maildir"));
  names();
  create(dir.s);
  deliver(dir.s);
  failures(dir.s);
  CHECK(stralloc_catm(&cmd, "rm -rf ", root, (char *)0) && system(cmd.s) == 0);
  stralloc_free(&dir);
  stralloc_free(&cmd);
  return check_done();
}
