/* Numbers to text and back, with every edge of their ranges; TAI64N; deadlines. */
#include "base/fmt.h"
#include "base/now.h"
#include "base/scan.h"
#include "base/tai64n.h"
#include "check.h"

static void u64(void) {
  static const struct {
    const char *s;
    uint64_t max;
    int ok;
    uint64_t u;
  } cases[] = {
      {"0", UINT64_MAX, 1, 0}, {"18446744073709551615", UINT64_MAX, 1, UINT64_MAX}, {"18446744073709551616", UINT64_MAX, 0, 0},
      {"99999999999999999999", UINT64_MAX, 0, 0}, {"", 9, 0, 0}, {"-1", 9, 0, 0}, {"+1", 9, 0, 0}, {" 1", 9, 0, 0}, {"1 ", 9, 0, 0},
      {"9", 9, 1, 9}, {"10", 9, 0, 0}, {"0009", 9, 1, 9}, {"1x", 99, 0, 0}, {"0x1", 99, 0, 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    uint64_t u = 77;

    CHECK_CASE(scan_u64_max(cases[i].s, strlen(cases[i].s), cases[i].max, &u) == cases[i].ok, cases[i].s);
    CHECK_CASE(u == (cases[i].ok ? cases[i].u : 77), cases[i].s); /* left alone on failure */
  }
}

static void others(void) {
  uint32_t v = 5;
  uint16_t port = 5;
  uint64_t u = 5;
  int64_t i = 5;

  CHECK(scan_u32("4294967295", 10, &v) && v == UINT32_MAX && !scan_u32("4294967296", 10, &v) && v == UINT32_MAX);
  CHECK(scan_port("65535", 5, &port) && port == 65535 && !scan_port("65536", 5, &port));
  CHECK(scan_i64("-9223372036854775808", 20, &i) && i == INT64_MIN && !scan_i64("-9223372036854775809", 20, &i));
  CHECK(scan_i64("9223372036854775807", 19, &i) && i == INT64_MAX && !scan_i64("9223372036854775808", 19, &i));
  CHECK(scan_i64("+5", 2, &i) && i == 5 && !scan_i64("-", 1, &i) && !scan_i64("--5", 3, &i));
  CHECK(scan_octal("0755", 4, &v) && v == 0755 && !scan_octal("8", 1, &v) && !scan_octal("", 0, &v));
  CHECK(scan_hex64("fFfFffffffffffff", 16, &u) && u == UINT64_MAX && !scan_hex64("10000000000000000", 17, &u) && !scan_hex64("g", 1, &u));
  CHECK(scan_u64_prefix("123abc", 6, &u) == 3 && u == 123 && scan_u64_prefix("abc", 3, &u) == 0);
  CHECK(scan_hexdigit('a') == 10 && scan_hexdigit('F') == 15 && scan_hexdigit('/') == -1 && scan_hexdigit(':') == -1);
}

static void round_trips(void) {
  static const uint64_t values[] = {0, 1, 9, 10, 99, 100, 4294967295u, UINT64_MAX - 1, UINT64_MAX};
  char buf[FMT_U64 + 2];

  for (size_t i = 0; i < sizeof values / sizeof values[0]; ++i) {
    size_t n = fmt_u64(buf, values[i]);
    uint64_t u = 0;

    CHECK(n == fmt_u64(0, values[i]) && scan_u64(buf, n, &u) && u == values[i]);
    n = fmt_hex64(buf, values[i]);
    CHECK(scan_hex64(buf, n, &u) && u == values[i]);
  }
  CHECK(fmt_u64_pad(buf, 7, 3) == 3 && !memcmp(buf, "007", 3) && fmt_u64_pad(buf, 1234, 3) == 4);
  CHECK(fmt_i64(buf, INT64_MIN) == 20 && !memcmp(buf, "-9223372036854775808", 20));
  CHECK(!strcmp(fmt_u64_z(buf, UINT64_MAX), "18446744073709551615"));
}

static void stamps(void) {
  struct tai64n t, back;
  char text[TAI64N_TEXT + 1] = "";
  char packed[TAI64N_BYTES];

  tai64n_from_unix(&t, 0, 1);
  tai64n_fmt(text, &t);
  CHECK(!strcmp(text, "@400000000000000a00000001"));
  CHECK(tai64n_scan(text, 25, &back) == 25 && back.sec == t.sec && back.nano == 1 && tai64n_to_unix(&back) == 0);
  tai64n_pack(packed, &t);
  CHECK(tai64n_unpack(packed, &back) && back.sec == t.sec && back.nano == t.nano);
  for (size_t n = 0; n < 25; ++n) CHECK(tai64n_scan(text, n, &back) == 0);
  text[24] = 'g';
  CHECK(tai64n_scan(text, 25, &back) == 0);
  CHECK(tai64n_scan("@400000000000000a3b9aca00", 25, &back) == 0); /* a second is no nanoseconds */
  memset(packed, 255, sizeof packed);
  CHECK(!tai64n_unpack(packed, &back));
  tai64n_now(&t);
  CHECK(tai64n_to_unix(&t) > 1700000000 && t.nano < 1000000000);
}

static void deadlines(void) {
  deadline now = mono_now();

  CHECK(deadline_in(INT64_MAX) == DEADLINE_NEVER && deadline_in(10) > now);
  CHECK(deadline_poll_ms(DEADLINE_NEVER, now) == -1 && deadline_poll_ms(now, now) == 0 && deadline_poll_ms(now - 5, now) == 0);
  CHECK(deadline_poll_ms(now + 1, now) == 1 && deadline_poll_ms(now + NS_PER_S, now) == 1000);
  CHECK(deadline_poll_ms(INT64_MAX - 1, 0) > 0 && deadline_min(3, 5) == 3);
}

int main(void) {
  u64();
  others();
  round_trips();
  stamps();
  deadlines();
  return check_done();
}
