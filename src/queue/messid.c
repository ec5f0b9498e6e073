/* messid: see messid.h. */
#include "queue/messid.h"

#include "base/fmt.h"
#include "base/now.h"

static int is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int messid_valid(const char *s, size_t n) {
  size_t digits = 0;

  if (!n || n > MESSID_MAX) return 0;
  for (size_t i = 0; i < n; ++i) {
    int digit = s[i] >= '0' && s[i] <= '9';

    if (!digit && !is_letter(s[i]) && s[i] != '.' && s[i] != '-' && s[i] != '_') return 0;
    digits += digit;
  }
  return digits < n;
}

void messid_make(char out[MESSID_SIZE], uint64_t who) {
  size_t n = fmt_u64(out, (uint64_t)wall_now_us());

  out[n] = '.';
  fmt_u64_z(out + n + 1, who);
}

const char *messid_of(const char *given, uint64_t id, char buf[MESSID_SIZE]) {
  return given && *given ? given : fmt_u64_z(buf, id);
}
