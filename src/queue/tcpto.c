/* tcpto: see tcpto.h. */
#include "queue/tcpto.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"

#define AT_COUNT 4
#define AT_WHEN 8
#define AT_ADDRESS 16
#define FAMILY_V4 2
#define FAMILY_V6 10

static size_t address_bytes(int family) {
  return family == AF_INET ? 4 : 16;
}

int tcpto_parse(const unsigned char *s, struct tcpto_record *r) {
  memset(r, 0, sizeof *r);
  if (!s[AT_COUNT] || s[AT_COUNT] > TCPTO_COUNT_MAX) return 0;
  if (s[0] != FAMILY_V4 && s[0] != FAMILY_V6) return 0;
  r->ip.family = s[0] == FAMILY_V4 ? AF_INET : AF_INET6;
  memcpy(r->ip.b, s + AT_ADDRESS, address_bytes(r->ip.family));
  r->count = s[AT_COUNT];
  for (int i = 3; i >= 0; --i) r->when = r->when << 8 | s[AT_WHEN + i];
  return 1;
}

void tcpto_format(unsigned char *s, const struct tcpto_record *r) {
  memset(s, 0, TCPTO_RECORD);
  if (!r->ip.family || !r->count) return;
  s[0] = r->ip.family == AF_INET ? FAMILY_V4 : FAMILY_V6;
  s[AT_COUNT] = (unsigned char)(r->count < TCPTO_COUNT_MAX ? r->count : TCPTO_COUNT_MAX);
  for (int i = 0; i < 4; ++i) s[AT_WHEN + i] = (unsigned char)(r->when >> (8 * i));
  memcpy(s + AT_ADDRESS, r->ip.b, address_bytes(r->ip.family));
}

/* The record of an address: its number, or -1. */
static int find(const unsigned char *table, size_t records, const struct ip *ip, struct tcpto_record *r) {
  for (size_t i = 0; i < records; ++i)
    if (tcpto_parse(table + i * TCPTO_RECORD, r) && ip_equal(&r->ip, ip)) return (int)i;
  return -1;
}

enum tcpto_verdict tcpto_look(const unsigned char *table, size_t n, const struct ip *ip, int64_t now, uint64_t penalty) {
  struct tcpto_record r;

  if (find(table, n / TCPTO_RECORD, ip, &r) == -1) return TCPTO_UNKNOWN;
  /* A time that has not come is garbage, or the clock was put back. */
  if (r.count < TCPTO_ENOUGH || now < r.when || (uint64_t)(now - r.when) >= penalty) return TCPTO_FAILED_BEFORE;
  return TCPTO_LEAVE_ALONE;
}

/* The record to use for a new address: a free one, else the one that is oldest. */
static int make_room(const unsigned char *table) {
  uint32_t oldest = UINT32_MAX;
  int at = 0;

  for (int i = 0; i < TCPTO_RECORDS; ++i) {
    struct tcpto_record r;

    if (!tcpto_parse(table + i * TCPTO_RECORD, &r)) return i;
    if (r.when >= oldest) continue;
    oldest = r.when;
    at = i;
  }
  return at;
}

int tcpto_note(unsigned char *table, const struct ip *ip, int failed, int64_t now, uint64_t tolerance) {
  struct tcpto_record r;
  int at = find(table, TCPTO_RECORDS, ip, &r);

  if (at == -1 && !failed) return -1;
  if (at == -1) {
    at = make_room(table);
    memset(&r, 0, sizeof r);
    r.ip = *ip;
  } else if (failed && now >= r.when && (uint64_t)(now - r.when) < tolerance) {
    return -1;
  }
  r.count = failed ? r.count + 1 : 0;
  r.when = (uint32_t)now;
  tcpto_format(table + at * TCPTO_RECORD, &r);
  return at;
}

static int read_table(int fd, unsigned char table[TCPTO_BYTES]) {
  ssize_t n;

  memset(table, 0, TCPTO_BYTES);
  do n = pread(fd, table, TCPTO_BYTES, 0);
  while (n == -1 && errno == EINTR);
  return (int)n;
}

int tcpto_read(unsigned char table[TCPTO_BYTES]) {
  int fd = fd_open_read(TCPTO_FILE);
  int n;

  if (fd == -1) return -1;
  n = read_table(fd, table);
  fd_close(fd);
  return n;
}

enum tcpto_verdict tcpto_file_look(const struct ip *ip, int64_t now, uint64_t penalty) {
  unsigned char table[TCPTO_BYTES];
  int n = penalty ? tcpto_read(table) : 0;

  return n > 0 ? tcpto_look(table, (size_t)n, ip, now, penalty) : TCPTO_UNKNOWN;
}

static int open_for_writing(void) {
  return open(TCPTO_FILE, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
}

void tcpto_file_note(const struct ip *ip, int failed, int64_t now, uint64_t tolerance) {
  unsigned char table[TCPTO_BYTES];
  int fd = open_for_writing();
  int at;

  if (fd == -1) return;
  if (lock_ex(fd) == 0 && read_table(fd, table) != -1) {
    at = tcpto_note(table, ip, failed, now, tolerance);
    if (at != -1) (void)!pwrite(fd, table + at * TCPTO_RECORD, TCPTO_RECORD, (off_t)at * TCPTO_RECORD);
  }
  fd_close(fd);
}

int tcpto_clear(void) {
  static const unsigned char nothing[TCPTO_BYTES];
  int fd = open_for_writing();
  int r;

  if (fd == -1) return -1;
  r = lock_ex(fd) == 0 && pwrite(fd, nothing, sizeof nothing, 0) == (ssize_t)sizeof nothing ? 0 : -1;
  fd_close(fd);
  return r;
}
