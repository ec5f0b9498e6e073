/* How much a mailbox got each day: counting, another day, and files that are none of ours. */
#include "user/delivery_count.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

#define NOON INT64_C(1000080000) /* 10-09-2001 00:00:00 */
#define DAY 86400

static char dir[] = "/tmp/indimail-count-XXXXXX";
static char path[64];

static void put(const char *text) {
  FILE *f = fopen(path, "w");

  CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static const char *text(void) {
  static char buf[70000];
  int fd = open(path, O_RDONLY);
  ssize_t n = read(fd, buf, sizeof buf - 1);

  close(fd);
  buf[n > 0 ? n : 0] = 0;
  return buf;
}

static void add(int64_t now, uint64_t messages, uint64_t bytes) {
  struct delivery_count d;
  struct strerr e;

  CHECK(delivery_count_open(&d, dir, now, &e) == 0);
  CHECK(d.messages == messages && d.bytes == bytes);
  CHECK(delivery_count_add(&d, 100, &e) == 0);
  delivery_count_close(&d);
}

static const struct {
  const char *text;
  uint64_t messages, bytes; /* of 10-09-2001 */
} cases[] = {
    {"10-09-2001:01:02:03 7 800\n", 7, 800},
    {"09-09-2001:01:02:03 7 800\n", 0, 0},
    {"09-09-2001:01:02:03 1 2\n10-09-2001:01:02:03 3 4\n", 3, 4},
    {"10-09-2001:01:02:03 3 4\n09-09-2001:01:02:03 1 2\n", 0, 0},
    {"", 0, 0},
    {"nonsense", 0, 0},
    {"10-09-2001", 0, 0},
    {"10-09-2001:01:02:03\n", 0, 0},
    {"10-09-2001:01:02:03 7\n", 0, 0},
    {"10-09-2001:01:02:03 -7 8\n", 0, 0},
    {"10-09-2001:01:02:03 7 99999999999999999999999\n", 0, 0},
    {"10-09-2001:01:02:03 7 8", 0, 0},
    {"\n\n", 0, 0},
};

int main(void) {
  struct delivery_count d;
  struct strerr e;

  CHECK(mkdtemp(dir));
  snprintf(path, sizeof path, "%s/deliveryCount", dir);
  add(NOON, 0, 0);
  add(NOON + 10, 1, 100);
  CHECK(!strcmp(text(), "10-09-2001:00:00:10 2 200\n"));
  add(NOON + DAY, 0, 0);
  add(NOON + DAY, 1, 100);
  CHECK(!strcmp(text(), "10-09-2001:00:00:10 2 200\n11-09-2001:00:00:00 2 200\n"));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    put(cases[i].text);
    CHECK_CASE(delivery_count_open(&d, dir, NOON, &e) == 0, cases[i].text);
    CHECK_CASE(d.messages == cases[i].messages && d.bytes == cases[i].bytes, cases[i].text);
    delivery_count_close(&d);
  }
  {
    char *much = malloc(70001);

    memset(much, 'x', 70000);
    much[70000] = 0;
    put(much);
    free(much);
    add(NOON, 0, 0);
    CHECK(!strcmp(text(), "10-09-2001:00:00:00 1 100\n"));
  }
  unlink(path);
  CHECK(symlink("/etc/passwd", path) == 0);
  CHECK(delivery_count_open(&d, dir, NOON, &e) == -1);
  delivery_count_close(&d);
  unlink(path);
  rmdir(dir);
  CHECK(delivery_count_open(&d, dir, NOON, &e) == -1 && *e.text);
  return check_done();
}
