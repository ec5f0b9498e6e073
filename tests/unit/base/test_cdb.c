/* The published format: a known file byte for byte, then many records, then damage. */
#include "base/cdb.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fmt.h"
#include "check.h"

static int temp(void) {
  char name[] = "/tmp/test_cdb.XXXXXX";
  int fd = mkstemp(name);

  unlink(name);
  return fd;
}

static void one_record(void) {
  /* +3,5:one->Hello : hash("one") = ((5381*33^'o')*33^'n')*33^'e' */
  struct cdb_make m;
  unsigned char b[CDB_HEADER + 8 + 8 + 16];
  uint32_t h = cdb_hash("one", 3);
  int fd = temp();

  CHECK(cdb_make_start(&m, fd) == 0);
  CHECK(cdb_make_add(&m, "one", 3, "Hello", 5) == 0);
  CHECK(cdb_make_finish(&m) == 0);
  cdb_make_free(&m);
  CHECK(h == 193420161u);
  CHECK(lseek(fd, 0, SEEK_END) == (off_t)sizeof b);
  CHECK(pread(fd, b, sizeof b, 0) == (ssize_t)sizeof b);
  for (int i = 0; i < 256; ++i) {
    uint32_t pos = b[8 * i] | b[8 * i + 1] << 8 | b[8 * i + 2] << 16 | (uint32_t)b[8 * i + 3] << 24;

    CHECK(b[8 * i + 4] == (i == (int)(h & 255) ? 2 : 0));
    CHECK(pos == (i <= (int)(h & 255) ? 2064u : 2080u));
  }
  CHECK(!memcmp(b + 2048, "\3\0\0\0\5\0\0\0oneHello", 16));
  close(fd);
}

static void many(void) {
  struct cdb_make m;
  struct cdb c;
  char key[32];
  int fd = temp();

  CHECK(cdb_make_start(&m, fd) == 0);
  for (uint64_t i = 0; i < 5000; ++i) {
    size_t n = fmt_u64(key, i % 4000);

    CHECK(cdb_make_add(&m, key, n, (char *)&i, sizeof i) == 0);
  }
  CHECK(cdb_make_add(&m, "", 0, "empty", 5) == 0);
  CHECK(cdb_make_finish(&m) == 0);
  cdb_make_free(&m);
  CHECK(cdb_init(&c, fd) == 0);
  for (uint64_t i = 0; i < 4000; ++i) {
    size_t n = fmt_u64(key, i);
    uint64_t v;

    CHECK_CASE(cdb_find(&c, key, n) == 1, "first");
    memcpy(&v, cdb_data(&c), sizeof v);
    CHECK_CASE(v == i, "value");
    CHECK_CASE(cdb_findnext(&c, key, n) == (i < 1000), "second");
  }
  CHECK(cdb_find(&c, "", 0) == 1 && c.dlen == 5);
  CHECK(cdb_find(&c, "nothere", 7) == 0);
  cdb_free(&c);
  close(fd);
}

/* Every byte of a small file set to 255 in turn: never a crash, never a read outside. */
static void damaged(void) {
  struct cdb_make m;
  struct cdb c;
  int fd = temp();
  off_t size;

  CHECK(cdb_make_start(&m, fd) == 0);
  CHECK(cdb_make_add(&m, "key", 3, "data", 4) == 0);
  CHECK(cdb_make_finish(&m) == 0);
  cdb_make_free(&m);
  size = lseek(fd, 0, SEEK_END);
  for (off_t i = 0; i < size; ++i) {
    char was, bad = (char)255;
    uint32_t pos = 0, kl, dl;
    const char *k, *d;
    int r;

    CHECK(pread(fd, &was, 1, i) == 1 && pwrite(fd, &bad, 1, i) == 1);
    CHECK(cdb_init(&c, fd) == 0);
    r = cdb_find(&c, "key", 3);
    CHECK(r >= -1 && r <= 1);
    while (cdb_walk(&c, &pos, &k, &kl, &d, &dl) == 1) {
    }
    cdb_free(&c);
    CHECK(pwrite(fd, &was, 1, i) == 1);
  }
  CHECK(ftruncate(fd, 2047) == 0);
  CHECK(cdb_init(&c, fd) == -1);
  close(fd);
}

int main(void) {
  one_record();
  many();
  damaged();
  return check_done();
}
