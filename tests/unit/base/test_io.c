/* substdio, getln, files, descriptors, locks, deadlines on descriptors. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/iodeadline.h"
#include "base/lock.h"
#include "base/substdio.h"
#include "check.h"

/* A source and a sink that give and take a few bytes at a time, and then fail. */
struct fake {
  const char *in;
  size_t left, step;
  stralloc out;
  size_t fail_after;
  int error;
};

static ssize_t fake_read(void *ctx, char *buf, size_t len) {
  struct fake *f = ctx;
  size_t n = f->left < f->step ? f->left : f->step;

  if (!n && f->error) {
    errno = f->error;
    return -1;
  }
  if (n > len) n = len;
  memcpy(buf, f->in, n);
  f->in += n;
  f->left -= n;
  return (ssize_t)n;
}

static ssize_t fake_write(void *ctx, char *buf, size_t len) {
  struct fake *f = ctx;

  if (len > f->step) len = f->step;
  if (f->out.len + len > f->fail_after) {
    errno = ENOSPC;
    return -1;
  }
  return stralloc_catb(&f->out, buf, len) ? (ssize_t)len : -1;
}

static void lines(size_t step, size_t size) {
  static const char text[] = "one\ntwo\n\nlast";
  static const char *const want[] = {"one\n", "two\n", "\n", "last"};
  struct fake f = {.in = text, .left = sizeof text - 1, .step = step};
  stralloc line = STRALLOC_INIT;
  char buf[64];
  substdio s;

  substdio_init(&s, fake_read, &f, buf, size);
  for (size_t i = 0; i < 4; ++i) {
    int match = 9;

    stralloc_cut(&line, 0);
    CHECK(getln(&s, &line, &match, '\n', 0) == 0 && match == (i < 3) && stralloc_equals(&line, want[i]));
  }
  stralloc_free(&line);
}

static void line_limit(void) {
  struct fake f = {.in = "12345\n123456\n", .left = 13, .step = 3};
  stralloc line = STRALLOC_INIT;
  char buf[8];
  substdio s;
  int match;

  substdio_init(&s, fake_read, &f, buf, sizeof buf);
  CHECK(getln(&s, &line, &match, '\n', 6) == 0 && match);
  stralloc_cut(&line, 0);
  CHECK(getln(&s, &line, &match, '\n', 6) == -1 && errno == EMSGSIZE);
  f = (struct fake){.in = "x", .left = 1, .step = 1, .error = EIO};
  substdio_init(&s, fake_read, &f, buf, sizeof buf);
  CHECK(getln(&s, &line, &match, '\n', 0) == -1 && errno == EIO);
  stralloc_free(&line);
}

static void writing(size_t step) {
  struct fake f = {.step = step, .fail_after = 1000};
  char buf[16];
  substdio s;

  substdio_init(&s, fake_write, &f, buf, sizeof buf);
  CHECK(substdio_puts(&s, "abc") == 0 && f.out.len == 0);
  CHECK(substdio_puts(&s, "0123456789abcdefghij") == 0 && substdio_putlit(&s, "!") == 0 && substdio_putu64(&s, 42) == 0);
  CHECK(substdio_flush(&s) == 0 && stralloc_equals(&f.out, "abc0123456789abcdefghij!42"));
  f.fail_after = f.out.len + 2;
  CHECK(substdio_putflush(&s, "xyz", 3) == -1 && errno == ENOSPC);
  stralloc_free(&f.out);
}

static void copying(void) {
  struct fake in = {.in = "some text to copy", .left = 17, .step = 5};
  struct fake out = {.step = 4, .fail_after = 100};
  char a[8], b[8];
  substdio i, o;

  substdio_init(&i, fake_read, &in, a, sizeof a);
  substdio_init(&o, fake_write, &out, b, sizeof b);
  CHECK(substdio_copy(&o, &i) == 0 && substdio_flush(&o) == 0 && stralloc_equals(&out.out, "some text to copy"));
  in = (struct fake){.in = "x", .left = 1, .step = 1, .error = EIO};
  CHECK(substdio_copy(&o, &i) == -2);
  stralloc_free(&out.out);
}

/* What a killed writer left goes, what a living one writes and what is of another file stays. */
static void sweep(const char *path) {
  static const struct {
    const char *end;
    int mine, gone; /* mine: our number after it */
  } cases[] = {{".2147483646.tmp", 0, 1}, {".", 1, 0}, {".0.tmp", 0, 0}, {".2147483646x.tmp", 0, 0}, {"2.2147483646.tmp", 0, 0}, {".99999999999.tmp", 0, 0}, {".tmp", 0, 0}};

  for (int pass = 0; pass < 2; ++pass) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
      stralloc name = STRALLOC_INIT;

      CHECK(stralloc_catm(&name, path, cases[i].end, (char *)0));
      if (cases[i].mine) CHECK(stralloc_cati64(&name, getpid()) && stralloc_cats(&name, ".tmp"));
      if (!pass) {
        CHECK(file_replace(name.s, "x", 1, 0600) == 0);
      } else {
        CHECK_CASE((access(name.s, F_OK) == -1) == cases[i].gone, cases[i].end);
        unlink(name.s);
      }
      stralloc_free(&name);
    }
    if (!pass) file_sweep(path);
  }
  file_sweep("/nonexistent/x");
}

static void files(void) {
  char dir[] = "/tmp/test_io.XXXXXX";
  stralloc path = STRALLOC_INIT, got = STRALLOC_INIT;
  struct stat st;
  int fd;

  CHECK(mkdtemp(dir) != 0 && stralloc_catm(&path, dir, "/file", (char *)0));
  CHECK(file_read(path.s, &got, 10) == 0);
  CHECK(file_replace(path.s, "first", 5, 0640) == 0 && file_read(path.s, &got, 10) == 1 && stralloc_equals(&got, "first"));
  CHECK(stat(path.s, &st) == 0 && (st.st_mode & 0777) == 0640);
  CHECK(file_replace(path.s, "", 0, 0600) == 0 && file_read(path.s, &got, 10) == 1 && got.len == 0);
  CHECK(file_replace(path.s, "0123456789x", 11, 0600) == 0 && file_read(path.s, &got, 10) == -1 && errno == EFBIG);
  CHECK(file_replace("/nonexistent/x", "", 0, 0600) == -1 && errno == ENOENT);
  sweep(path.s);
  CHECK(file_mkdir(dir, 0700) == 0 && file_mkdir(path.s, 0700) == -1);
  fd = lock_file_nb(path.s);
  CHECK(fd != -1);
  CHECK(lock_file_nb(path.s) == -1 && errno == EWOULDBLOCK);
  fd_close(fd);
  fd = lock_file(path.s);
  CHECK(fd != -1);
  fd_close(fd);
  CHECK(fd_open_excl(path.s, 0600) == -1 && errno == EEXIST);
  CHECK(fd_syncdir(dir) == 0 && unlink(path.s) == 0 && rmdir(dir) == 0);
  CHECK(fd_close(-1) == -1);
  stralloc_free(&path);
  stralloc_free(&got);
}

static void names(void) {
  static const struct {
    const char *s;
    size_t n;
    int ok;
  } cases[] = {{"a", 1, 1}, {"", 0, 0}, {".", 1, 0}, {"..", 2, 0}, {"...", 3, 1}, {"a/b", 3, 0}, {"a\0b", 3, 0}, {".a", 2, 1}};
  static const struct {
    const char *path, *dir;
  } dirs[] = {{"/a/b", "/a"}, {"/a", "/"}, {"a", "."}, {"a/b/c", "a/b"}, {"/", "/"}};
  stralloc dir = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i)
    CHECK_CASE(file_name_ok(cases[i].s, cases[i].n) == cases[i].ok, cases[i].s);
  for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; ++i)
    CHECK_CASE(file_dirname(dirs[i].path, &dir) == 0 && stralloc_equals(&dir, dirs[i].dir), dirs[i].path);
  stralloc_free(&dir);
}

static void deadlines(void) {
  struct iodeadline io = {.session = DEADLINE_NEVER};
  char c;
  int p[2];

  CHECK(fd_pipe(p) == 0);
  io.fd = p[0];
  io.when = mono_now() - 1;
  CHECK(iodeadline_read(&io, &c, 1) == -1 && errno == ETIMEDOUT);
  io.when = deadline_in(5);
  io.session = mono_now();
  CHECK(iodeadline_read(&io, &c, 1) == -1 && errno == ETIMEDOUT);
  io.session = DEADLINE_NEVER;
  CHECK(write(p[1], "x", 1) == 1 && iodeadline_read(&io, &c, 1) == 1 && c == 'x');
  close(p[1]);
  CHECK(iodeadline_read(&io, &c, 1) == 0);
  close(p[0]);
  CHECK(fd_pipe(p) == 0);
  CHECK(fd_write_all(p[1], "abc", 3) == 0);
  close(p[1]);
  {
    char buf[4];

    CHECK(fd_read_all(p[0], buf, 3) == 1 && fd_read_all(p[0], buf, 1) == 0);
  }
  close(p[0]);
}

int main(void) {
  for (size_t step = 1; step < 20; step += 3)
    for (size_t size = 1; size <= 64; size *= 2) lines(step, size);
  line_limit();
  writing(1);
  writing(7);
  writing(100);
  copying();
  files();
  names();
  deadlines();
  return check_done();
}
