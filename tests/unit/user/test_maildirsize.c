/* Quotas as text, and the maildirsize file: parsed whole and cut, counted, kept. */
#include "user/maildirsize.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "check.h"
#include "user/maildir.h"

static const struct maildirsize_rules plain = {0, 0}, trash = {1, 0}, fast = {0, 1};
static char root[] = "/tmp/test_maildirsize.XXXXXX";

static const struct {
  const char *s;
  int ok;
  uint64_t bytes, count;
  const char *text;
} quotas[] = {
    {"", 1, 0, 0, "NOQUOTA"},
    {"NOQUOTA", 1, 0, 0, "NOQUOTA"},
    {"noquota", 1, 0, 0, "NOQUOTA"},
    {"0S", 1, 0, 0, "NOQUOTA"},
    {"1000", 1, 1000, 0, "1000S"},
    {"1000S", 1, 1000, 0, "1000S"},
    {"1k", 1, 1024, 0, "1024S"},
    {"2M", 1, 2097152, 0, "2097152S"},
    {"1G,5", 1, 1073741824, 5, "1073741824S,5C"},
    {"1000,50", 1, 1000, 50, "1000S,50C"},
    {"1000S,50C", 1, 1000, 50, "1000S,50C"},
    {"50C", 1, 0, 50, "0S,50C"},
    {"50C,1000S", 1, 1000, 50, "1000S,50C"},
    {"-1", 0, 0, 0, 0},
    {"x", 0, 0, 0, 0},
    {"1x", 0, 0, 0, 0},
    {"1,", 0, 0, 0, 0},
    {",1", 0, 0, 0, 0},
    {"1,2,3", 0, 0, 0, 0},
    {"1S2", 0, 0, 0, 0},
    {"1 ", 0, 0, 0, 0},
    {"18446744073709551615", 0, 0, 0, 0},
    {"18446744073709551616", 0, 0, 0, 0},
    {"99999999999G", 0, 0, 0, 0},
};

static const struct {
  const char *s;
  int ok;
  int64_t bytes, count;
  size_t lines;
} files[] = {
    {"1000S\n10 1\n", 1, 10, 1, 1},
    {"1000S,5C\n10 1\n-5 -1\n20 2\n", 1, 25, 2, 3},
    {"1000S\n         10         1\n", 1, 10, 1, 1},
    {"1000S\n10 1   \n", 1, 10, 1, 1},
    {"NOQUOTA\n0 0\n", 1, 0, 0, 1},
    {"1000S\n", 0, 0, 0, 0},
    {"1000S", 0, 0, 0, 0},
    {"", 0, 0, 0, 0},
    {"1000S\n10 1", 0, 0, 0, 0},
    {"1000S\n10\n", 0, 0, 0, 0},
    {"1000S\n10 x\n", 0, 0, 0, 0},
    {"1000S\n\n", 0, 0, 0, 0},
    {"1000S\n-10 -1\n", 0, 0, 0, 0},
    {"1000S\n10 -1\n", 0, 0, 0, 0},
    {"1000S\n10 1 1\n", 0, 0, 0, 0},
    {"1000S\n9223372036854775807 1\n1 1\n", 0, 0, 0, 0},
    {"1000S\n9223372036854775808 1\n", 0, 0, 0, 0},
    {"x\n1 1\n", 0, 0, 0, 0},
};

static void text(void) {
  stralloc s = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof quotas / sizeof *quotas; ++i) {
    struct quota q = {7, 7};
    int r = quota_parse(quotas[i].s, strlen(quotas[i].s), &q);

    CHECK_CASE(r == quotas[i].ok, quotas[i].s);
    if (!r) {
      CHECK_CASE(q.bytes == 7 && q.count == 7, quotas[i].s);
      continue;
    }
    CHECK_CASE(q.bytes == quotas[i].bytes && q.count == quotas[i].count, quotas[i].s);
    CHECK_CASE(quota_fmt(&s, &q) && stralloc_equals(&s, quotas[i].text), quotas[i].s);
  }
  stralloc_free(&s);
  for (size_t i = 0; i < sizeof files / sizeof *files; ++i) {
    struct quota q;
    struct usage u;
    size_t lines, n = strlen(files[i].s);
    int r = maildirsize_parse(files[i].s, n, &q, &u, &lines);

    CHECK_CASE(r == files[i].ok, files[i].s);
    if (r) CHECK_CASE(u.bytes == files[i].bytes && u.count == files[i].count && lines == files[i].lines, files[i].s);
    /* Cut anywhere: never a crash, and a line that was cut is never believed. */
    for (size_t cut = 0; cut < n; ++cut)
      if (maildirsize_parse(files[i].s, cut, &q, &u, &lines))
        CHECK_CASE(files[i].s[cut - 1] == '\n', files[i].s);
  }
}

static stralloc maildir;

static void put(const char *name, const char *body) {
  stralloc path = STRALLOC_INIT;

  CHECK(stralloc_catm(&path, maildir.s, "/", name, (char *)0));
  CHECK_CASE(file_replace(path.s, body, strlen(body), 0600) == 0, name);
  stralloc_free(&path);
}

static void folder(const char *name) {
  stralloc path = STRALLOC_INIT;
  struct strerr e;

  CHECK(stralloc_catm(&path, maildir.s, "/", name, (char *)0) && maildir_create(path.s, 0700, 0, &e) == 0);
  stralloc_free(&path);
}

static void counting(void) {
  struct usage u;
  struct strerr e;
  stralloc path = STRALLOC_INIT;

  CHECK(maildirsize_count("/nonexistent", &plain, &u, &e) == -1 && e.sys == ENOENT);
  CHECK(maildirsize_count(maildir.s, &plain, &u, &e) == 0 && u.bytes == 0 && u.count == 0);
  put("new/1.2.h,S=100", "short");              /* the name tells the size */
  put("cur/1.3.h:2,S", "12345");                /* else the file */
  put("cur/1.4.h,S=7:2,ST", "x");               /* trashed */
  put("cur/1.5.h,S=x:2,", "123");               /* a size that is none */
  put("cur/1.6.h,S=99999999999999999999:2,", "12");
  put("new/.hidden", "xxx");
  put("tmp/1.7.h,S=500", "x");
  folder(".Work");
  put(".Work/cur/2.1.h,S=10:2,S", "");
  folder(".Trash");
  put(".Trash/cur/2.2.h,S=1000:2,S", "");
  CHECK(stralloc_catm(&path, maildir.s, "/.Link", (char *)0) && symlink("/tmp", path.s) == 0);
  CHECK(maildirsize_count(maildir.s, &plain, &u, &e) == 0);
  CHECK(u.bytes == 100 + 5 + 3 + 2 + 10);
  CHECK(u.count == 5);
  CHECK(maildirsize_count(maildir.s, &trash, &u, &e) == 0 && u.bytes == 100 + 5 + 3 + 2 + 10 + 7 + 1000 && u.count == 7);
  CHECK(maildirsize_counts(0, &plain) && maildirsize_counts(".Work", &plain) && maildirsize_counts(".Trash.old", &plain));
  CHECK(!maildirsize_counts(".Trash", &plain) && maildirsize_counts(".Trash", &trash));
  stralloc_free(&path);
}

static void keeping(void) {
  const struct quota q = {200, 7}, other = {300, 0};
  struct usage u;
  struct strerr e;
  stralloc path = STRALLOC_INIT, got = STRALLOC_INIT;
  int certain;

  CHECK(stralloc_catm(&path, maildir.s, "/maildirsize", (char *)0));
  CHECK(maildirsize_usage(maildir.s, &q, &plain, 0, &u, &certain, &e) == 0 && certain && u.bytes == 120 && u.count == 5);
  CHECK(file_read(path.s, &got, 4096) == 1 && stralloc_equals(&got, "200S,7C\n120 5\n"));
  CHECK(maildirsize_add(maildir.s, 50, 1, &e) == 0);
  CHECK(maildirsize_usage(maildir.s, &q, &plain, 0, &u, &certain, &e) == 0 && !certain && u.bytes == 170 && u.count == 6);
  /* What does not fit by the file, but does by counting. */
  CHECK(maildirsize_fits(maildir.s, &q, &plain, 80, 1, &u, &e) == 1 && u.bytes == 120);
  CHECK(maildirsize_fits(maildir.s, &q, &plain, 81, 1, &u, &e) == 0);
  CHECK(maildirsize_fits(maildir.s, &q, &plain, 1, 2, &u, &e) == 1);
  CHECK(maildirsize_fits(maildir.s, &q, &plain, 1, 3, &u, &e) == 0);
  CHECK(maildirsize_fits(maildir.s, &q, &plain, UINT64_MAX, 1, &u, &e) == 0);
  /* Another quota: the file is written anew. */
  CHECK(maildirsize_usage(maildir.s, &other, &plain, 0, &u, &certain, &e) == 0 && certain);
  CHECK(file_read(path.s, &got, 4096) == 1 && stralloc_equals(&got, "300S\n120 5\n"));
  /* An old file is not believed. */
  CHECK(file_replace(path.s, "300S\n1 1\n", 9, 0600) == 0);
  CHECK(maildirsize_usage(maildir.s, &other, &plain, 0, &u, &certain, &e) == 0 && u.bytes == 1);
  {
    const struct timeval old[2] = {{1000, 0}, {1000, 0}};

    CHECK(utimes(path.s, old) == 0);
  }
  CHECK(maildirsize_usage(maildir.s, &other, &plain, 0, &u, &certain, &e) == 0 && u.bytes == 120);
  CHECK(unlink(path.s) == 0);
  CHECK(maildirsize_add(maildir.s, 1, 1, &e) == 0 && access(path.s, F_OK) == -1);
  for (long n = 1; n < 8; ++n) {
    check_nomem(n);
    (void)!maildirsize_usage(maildir.s, &q, &plain, 1, &u, &certain, &e);
    (void)!maildirsize_add(maildir.s, 0, 0, &e);
    check_nomem(0);
  }
  CHECK(maildirsize_usage(maildir.s, &q, &plain, 0, &u, &certain, &e) == 0 && u.bytes == 120);
  stralloc_free(&path);
  stralloc_free(&got);
}

/* Where only the file is asked: what is wrong in it stays so, until somebody counts. */
static void fast_quota(void) {
  const struct quota q = {200, 7}, other = {300, 0};
  const struct timeval old[2] = {{1000, 0}, {1000, 0}};
  struct usage u;
  struct strerr e;
  stralloc path = STRALLOC_INIT, got = STRALLOC_INIT;
  int certain;

  CHECK(stralloc_catm(&path, maildir.s, "/maildirsize", (char *)0));
  CHECK(file_replace(path.s, "200S,7C\n190 6\n5 0\n", 18, 0600) == 0 && utimes(path.s, old) == 0);
  CHECK(maildirsize_usage(maildir.s, &q, &fast, 0, &u, &certain, &e) == 0 && certain && u.bytes == 195 && u.count == 6);
  CHECK(maildirsize_fits(maildir.s, &q, &fast, 6, 1, &u, &e) == 0);
  CHECK(maildirsize_fits(maildir.s, &q, &fast, 5, 1, &u, &e) == 1);
  CHECK(file_read(path.s, &got, 4096) == 1 && stralloc_equals(&got, "200S,7C\n190 6\n5 0\n"));
  /* Another quota, or a long file: one sum, and nobody counts. */
  CHECK(maildirsize_usage(maildir.s, &other, &fast, 0, &u, &certain, &e) == 0 && u.bytes == 195);
  CHECK(file_read(path.s, &got, 4096) == 1 && stralloc_equals(&got, "300S\n195 6\n"));
  for (int i = 0; i < 3000; ++i) CHECK(maildirsize_add(maildir.s, 10, 1, &e) == 0 && maildirsize_add(maildir.s, -10, -1, &e) == 0);
  CHECK(maildirsize_usage(maildir.s, &other, &fast, 0, &u, &certain, &e) == 0 && u.bytes == 195 && u.count == 6);
  CHECK(file_read(path.s, &got, 4096) == 1 && stralloc_equals(&got, "300S\n195 6\n"));
  /* What is no sum is counted after all; and so is it when somebody wants it. */
  CHECK(file_replace(path.s, "300S\n-1 1\n", 10, 0600) == 0);
  CHECK(maildirsize_usage(maildir.s, &other, &fast, 0, &u, &certain, &e) == 0 && u.bytes == 120);
  CHECK(file_replace(path.s, "300S\n1 1\n", 9, 0600) == 0);
  CHECK(maildirsize_usage(maildir.s, &other, &fast, 1, &u, &certain, &e) == 0 && u.bytes == 120);
  CHECK(unlink(path.s) == 0);
  CHECK(maildirsize_usage(maildir.s, &other, &fast, 0, &u, &certain, &e) == 0 && u.bytes == 120);
  stralloc_free(&path);
  stralloc_free(&got);
}

int main(void) {
  stralloc cmd = STRALLOC_INIT;
  struct strerr e;

  text();
  CHECK(mkdtemp(root) != 0);
  CHECK(stralloc_catm(&maildir, root, "/Maildir", (char *)0) && maildir_create(maildir.s, 0700, 0, &e) == 0);
  counting();
  keeping();
  fast_quota();
  CHECK(stralloc_catm(&cmd, "rm -rf ", root, (char *)0) && system(cmd.s) == 0);
  stralloc_free(&cmd);
  stralloc_free(&maildir);
  return check_done();
}
