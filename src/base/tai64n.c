/* tai64n: see tai64n.h. */
#include "base/tai64n.h"

#include <time.h>

#include "base/fmt.h"
#include "base/scan.h"

#define TAI_OF_UNIX_EPOCH ((UINT64_C(1) << 62) + 10)

void tai64n_from_unix(struct tai64n *t, int64_t sec, uint32_t nano) {
  t->sec = TAI_OF_UNIX_EPOCH + (uint64_t)sec;
  t->nano = nano;
}

void tai64n_now(struct tai64n *t) {
  struct timespec ts;

  clock_gettime(CLOCK_REALTIME, &ts);
  tai64n_from_unix(t, ts.tv_sec, (uint32_t)ts.tv_nsec);
}

int64_t tai64n_to_unix(const struct tai64n *t) {
  return (int64_t)(t->sec - TAI_OF_UNIX_EPOCH);
}

void tai64n_pack(char out[TAI64N_BYTES], const struct tai64n *t) {
  for (int i = 0; i < 8; ++i) out[i] = (char)(t->sec >> (56 - 8 * i));
  for (int i = 0; i < 4; ++i) out[8 + i] = (char)(t->nano >> (24 - 8 * i));
}

int tai64n_unpack(const char in[TAI64N_BYTES], struct tai64n *t) {
  uint64_t sec = 0;
  uint32_t nano = 0;

  for (int i = 0; i < 8; ++i) sec = sec << 8 | (unsigned char)in[i];
  for (int i = 8; i < 12; ++i) nano = nano << 8 | (unsigned char)in[i];
  if (nano > 999999999) return 0;
  t->sec = sec;
  t->nano = nano;
  return 1;
}

void tai64n_fmt(char out[TAI64N_TEXT], const struct tai64n *t) {
  out[0] = '@';
  fmt_hex64_pad(out + 1, t->sec, 16);
  fmt_hex64_pad(out + 17, t->nano, 8);
}

size_t tai64n_scan(const char *s, size_t n, struct tai64n *t) {
  uint64_t sec, nano;

  if (n < TAI64N_TEXT || s[0] != '@') return 0;
  if (!scan_hex64(s + 1, 16, &sec) || !scan_hex64(s + 17, 8, &nano) || nano > 999999999) return 0;
  t->sec = sec;
  t->nano = (uint32_t)nano;
  return TAI64N_TEXT;
}
