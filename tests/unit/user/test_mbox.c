/* mbox: quoting whole and byte by byte, locking, and taking back on failure. */
#include "user/mbox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "check.h"

static const struct {
  const char *in, *want;
} cases[] = {
    {"", ""},
    {"a\n", "a\n"},
    {"a", "a\n"},
    {"From x\n", ">From x\n"},
    {"\nFrom x\nFrom y\n", "\n>From x\n>From y\n"},
    {">From x\n>>From y\n", ">>From x\n>>>From y\n"},
    {" From x\n", " From x\n"},
    {"from x\n", "from x\n"},
    {"From\n", "From\n"},
    {"From", "From\n"},
    {"From:\n", "From:\n"},
    {"FFrom x\n", "FFrom x\n"},
    {"FromFrom x\n", "FromFrom x\n"},
    {"x>From y\n", "x>From y\n"},
    {"> From y\n", "> From y\n"},
    {">>>", ">>>\n"},
    {"Fr\nFrom \n\n", "Fr\n>From \n\n"},
};

static void quoting(void) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
    for (size_t step = 1; step <= 64; step += 63) {
      char name[] = "/tmp/test_mbox.XXXXXX";
      char buf[16];
      int fd = mkstemp(name);
      substdio out;
      struct mbox_quote q = {0};
      stralloc got = STRALLOC_INIT;
      size_t n = strlen(cases[i].in);

      substdio_initfd_write(&out, fd, buf, sizeof buf);
      for (size_t j = 0; j < n; j += step)
        CHECK(mbox_quote_put(&q, &out, cases[i].in + j, n - j < step ? n - j : step) == 0);
      CHECK(mbox_quote_end(&q, &out) == 0 && substdio_flush(&out) == 0);
      CHECK(file_read(name, &got, 4096) == 1);
      CHECK_CASE(stralloc_equals(&got, cases[i].want), cases[i].in);
      stralloc_free(&got);
      close(fd);
      unlink(name);
    }
}

static void deliver(void) {
  char box[] = "/tmp/test_mbox.box.XXXXXX";
  char msg[] = "/tmp/test_mbox.msg.XXXXXX";
  int boxfd = mkstemp(box), fd = mkstemp(msg);
  stralloc got = STRALLOC_INIT;
  struct strerr e;
  struct rlimit was, small = {40, 40};
  char first[34];

  CHECK(fd_write_all(fd, "S: x\n\nFrom me\nend", 17) == 0);
  CHECK(mbox_deliver(box, fd, "From a b\n", "H: 1\n", 5, deadline_in(5), &e) == DELIVER_OK);
  CHECK(file_read(box, &got, 4096) == 1);
  CHECK(stralloc_equals(&got, "From a b\nH: 1\nS: x\n\n>From me\nend\n\n"));
  /* The disk fills: the first message stays, nothing of the second. */
  signal(SIGXFSZ, SIG_IGN);
  CHECK(getrlimit(RLIMIT_FSIZE, &was) == 0);
  small.rlim_max = was.rlim_max;
  CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
  CHECK(mbox_deliver(box, fd, "From a b\n", "", 0, deadline_in(5), &e) == DELIVER_TEMP);
  CHECK(setrlimit(RLIMIT_FSIZE, &was) == 0);
  CHECK(file_read(box, &got, 4096) == 1 && got.len == 34);
  /* What a power loss cut short does not swallow the next message. */
  CHECK(got.len == 34 && memcpy(first, got.s, 34));
  for (off_t cut = 30; cut <= 34; ++cut) {
    CHECK(ftruncate(boxfd, 34) == 0 && pwrite(boxfd, first, 34, 0) == 34 && ftruncate(boxfd, cut) == 0);
    CHECK(mbox_deliver(box, fd, "From a b\n", "", 0, deadline_in(5), &e) == DELIVER_OK);
    CHECK(file_read(box, &got, 4096) == 1);
    CHECK(!strncmp(strstr(got.s + 20, "\n\nFrom "), "\n\nFrom a b\nS: x\n\n>From me\nend\n\n", 34));
  }
  CHECK(file_read(box, &got, 4096) == 1 && got.len == 34 + 29); /* nothing was missing from the last one */
  /* A lock that is held. */
  CHECK(lock_ex(boxfd) == 0);
  CHECK(mbox_deliver(box, fd, "From a b\n", "", 0, 0, &e) == DELIVER_TEMP);
  close(boxfd);
  CHECK(mbox_deliver("/tmp", fd, "From a b\n", "", 0, 0, &e) == DELIVER_TEMP);
  CHECK(mbox_deliver("/dev/null", fd, "From a b\n", "", 0, 0, &e) == DELIVER_TEMP);
  close(fd);
  unlink(box);
  unlink(msg);
  stralloc_free(&got);
}

int main(void) {
  quoting();
  deliver();
  return check_done();
}
