/* lock/tcpto: the record's bytes, when an address is left alone, and that no garbage matters. */
#include "queue/tcpto.h"

#include "check.h"

static struct ip address(const char *s) {
  struct ip ip;

  CHECK(ip_scan(s, strlen(s), &ip));
  return ip;
}

static void codec(void) {
  static const struct {
    const char *name, *bytes;
    int want;
    const char *ip;
    unsigned count;
    uint32_t when;
  } cases[] = {
      {"v4", "\2\0\0\0\3\0\0\0\1\2\0\0\0\0\0\0\300\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0", 1, "192.0.2.1", 3, 513},
      {"v6", "\12\0\0\0\1\0\0\0\0\0\0\200\0\0\0\0\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1", 1, "2001:db8::1", 1, 0x80000000},
      {"free", "\2\0\0\0\0\0\0\0\1\2\0\0\0\0\0\0\300\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0", 0, "", 0, 0},
      {"ten", "\2\0\0\0\12\0\0\0\1\2\0\0\0\0\0\0\300\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0", 1, "192.0.2.1", 10, 513},
      {"more than ten", "\2\0\0\0\13\0\0\0\1\2\0\0\0\0\0\0\300\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0", 0, "", 0, 0},
      {"no family", "\3\0\0\0\3\0\0\0\1\2\0\0\0\0\0\0\300\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0", 0, "", 0, 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    const unsigned char *s = (const unsigned char *)cases[i].bytes;
    unsigned char again[TCPTO_RECORD];
    struct tcpto_record r;
    struct ip ip;

    CHECK_CASE(tcpto_parse(s, &r) == cases[i].want, cases[i].name);
    if (!cases[i].want) continue;
    ip = address(cases[i].ip);
    CHECK_CASE(ip_equal(&r.ip, &ip) && r.count == cases[i].count && r.when == cases[i].when, cases[i].name);
    tcpto_format(again, &r);
    CHECK_CASE(!memcmp(again, s, TCPTO_RECORD), cases[i].name);
  }
}

/* A story: what is noted when, and what an attempt is told then. */
static void policy(void) {
  static const struct {
    const char *name;
    int64_t at;
    int note; /* 1 failure, 0 success, -1 none */
    enum tcpto_verdict want;
  } story[] = {
      {"nothing known", 1000, -1, TCPTO_UNKNOWN},
      {"first failure", 1000, 1, TCPTO_FAILED_BEFORE},
      {"the same failure", 1119, 1, TCPTO_FAILED_BEFORE},
      {"second failure", 1120, 1, TCPTO_LEAVE_ALONE},
      {"still", 1120 + 3599, -1, TCPTO_LEAVE_ALONE},
      {"time is over", 1120 + 3600, -1, TCPTO_FAILED_BEFORE},
      {"fails again", 5000, 1, TCPTO_LEAVE_ALONE},
      {"the clock was put back", 4999, -1, TCPTO_FAILED_BEFORE},
      {"success", 9000, 0, TCPTO_UNKNOWN},
      {"success of the unknown", 9000, 0, TCPTO_UNKNOWN},
  };
  unsigned char table[TCPTO_BYTES] = {0};
  struct ip ip = address("192.0.2.1");

  for (size_t i = 0; i < sizeof story / sizeof story[0]; ++i) {
    if (story[i].note != -1) (void)tcpto_note(table, &ip, story[i].note, story[i].at, 120);
    CHECK_CASE(tcpto_look(table, sizeof table, &ip, story[i].at, 3600) == story[i].want, story[i].name);
  }
}

static void full(void) {
  unsigned char table[TCPTO_BYTES] = {0};
  struct tcpto_record r;
  struct ip ip = address("10.0.0.0");

  for (int i = 0; i < 200; ++i) {
    ip.b[3] = (unsigned char)i;
    CHECK(tcpto_note(table, &ip, 1, 1000 + i, 120) == i % TCPTO_RECORDS);
  }
  for (int i = 0; i < 200; ++i) {
    ip.b[3] = (unsigned char)i;
    CHECK((tcpto_look(table, sizeof table, &ip, 2000, 3600) == TCPTO_UNKNOWN) == (i < 200 - TCPTO_RECORDS));
  }
  for (int i = 0; i < 30; ++i) CHECK(tcpto_note(table, &ip, 1, 10000 + 200 * i, 120) == 199 % TCPTO_RECORDS);
  CHECK(tcpto_parse(table + 199 % TCPTO_RECORDS * TCPTO_RECORD, &r) && r.count == TCPTO_COUNT_MAX);
}

static void short_tables(void) {
  unsigned char table[TCPTO_BYTES] = {0};
  struct ip ip = address("2001:db8::1");
  int at;

  (void)tcpto_note(table, &ip, 1, 1, 0);
  at = tcpto_note(table, &ip, 1, 2, 0);
  CHECK(at == 0);
  for (size_t n = 0; n < 100; ++n)
    CHECK((tcpto_look(table, n, &ip, 3, 3600) == TCPTO_LEAVE_ALONE) == (n >= TCPTO_RECORD));
}

int main(void) {
  codec();
  policy();
  full();
  short_tables();
  return check_done();
}
