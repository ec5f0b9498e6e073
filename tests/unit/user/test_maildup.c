/* Which messages are the same, and how long that is known. */
#include "user/maildup.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "check.h"

#define M "Subject: x\nTo: a@b\n\nhello\n"

static const struct {
  const char *name, *a, *b;
  int same;
} cases[] = {
    {"itself", M, M, 1},
    {"another way", "Received: by x\n\tfor y\n" M, "Received: by z\nDelivered-To: q\nX-DELIVERED-TO: r\nReturn-Path: <s>\n" M, 1},
    {"another subject", M, "Subject: y\nTo: a@b\n\nhello\n", 0},
    {"another text", M, "Subject: x\nTo: a@b\n\nhello!\n", 0},
    {"header or text", "Subject: x\n\nTo: a@b\n", "Subject: x\nTo: a@b\n\n", 0},
    {"a field of the way in the text", "Subject: x\n\nReceived: y\n", "Subject: x\n\nReceived: z\n", 0},
    {"no header", "\nx\n", "\ny\n", 0},
    {"no line end", "Subject: x", "Subject: y", 0},
    {"not a field", "hello\nworld\n", "hello\nthere\n", 0},
};

static void digest(const char *s, size_t n, char to[MAILDUP_DIGEST + 1]) {
  struct strerr e;
  int fd = memfd_create("m", MFD_CLOEXEC);

  CHECK(fd != -1 && fd_write_all(fd, s, n) == 0 && maildup_digest(fd, to, &e) == 0 && strlen(to) == MAILDUP_DIGEST);
  close(fd);
}

static void remembered(void) {
  char dir[] = "/tmp/test_maildup.XXXXXX", path[64];
  char one[MAILDUP_DIGEST + 1], two[MAILDUP_DIGEST + 1];
  struct maildup m;
  struct strerr e;
  int fd;

  CHECK(mkdtemp(dir) != 0);
  digest(M, strlen(M), one);
  digest("x\n", 2, two);
  CHECK(maildup_open(&m, dir, &e) == 0 && !maildup_has(&m, one, 100, 10));
  CHECK(maildup_add(&m, one, 100, 10, &e) == 0);
  maildup_close(&m);
  CHECK(maildup_open(&m, dir, &e) == 0);
  CHECK(maildup_has(&m, one, 100, 10) && maildup_has(&m, one, 110, 10) && !maildup_has(&m, one, 111, 10) && !maildup_has(&m, two, 100, 10));
  CHECK(!maildup_has(&m, one, 99, 10)); /* the clock was set back */
  CHECK(maildup_add(&m, two, 105, 10, &e) == 0);
  maildup_close(&m);
  CHECK(maildup_open(&m, dir, &e) == 0 && maildup_has(&m, one, 105, 10) && maildup_has(&m, two, 105, 10));
  CHECK(maildup_add(&m, two, 112, 10, &e) == 0);
  maildup_close(&m);
  CHECK(maildup_open(&m, dir, &e) == 0 && m.text.len == 4 + MAILDUP_DIGEST + 1); /* the old one is gone */
  maildup_close(&m);
  strcat(strcpy(path, dir), "/" MAILDUP_FILE);
  fd = fd_open_trunc(path, 0600);
  CHECK(fd != -1 && fd_write_all(fd, "rubbish\n1 2\n x\n99999999999999999999 x\n\n", 40) == 0);
  close(fd);
  CHECK(maildup_open(&m, dir, &e) == 0 && !maildup_has(&m, one, 100, 10) && maildup_add(&m, one, 100, 10, &e) == 0);
  maildup_close(&m);
  CHECK(maildup_open(&m, dir, &e) == 0 && maildup_has(&m, one, 100, 10));
  maildup_close(&m);
  unlink(path);
  rmdir(dir);
  CHECK(maildup_open(&m, dir, &e) == -1 && strstr(e.text, MAILDUP_FILE));
}

int main(void) {
  char a[MAILDUP_DIGEST + 1], b[MAILDUP_DIGEST + 1];

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    digest(cases[i].a, strlen(cases[i].a), a);
    digest(cases[i].b, strlen(cases[i].b), b);
    CHECK_CASE((strcmp(a, b) == 0) == cases[i].same, cases[i].name);
  }
  digest("a: b\n\nx\0y\n", 10, a);
  digest("a: b\n\nx\0z\n", 10, b);
  CHECK(strcmp(a, b) != 0);
  remembered();
  return check_done();
}
