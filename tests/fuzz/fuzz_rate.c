/* The text of a rate file, and its first line as an expression: what is taken comes back the
 * same from its own text, and the rule gives a sane answer for it. */
#include "send/rate.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  struct rate_record r, again;
  struct ratio v;
  char buf[RATE_FILE_MAX], number[RATE_NUMBER];

  if (rate_value(s, size, &v)) require(v.den > 0 && v.num >= -INT64_MAX);
  if (!rate_parse(&r, s, size)) return 0;
  require(rate_parse(&again, buf, rate_format(buf, &r, 0)));
  require(again.count == r.count && again.start == r.start && again.last == r.last && !strcmp(again.text, r.text));
  require(again.limit.num == r.limit.num && again.limit.den == r.limit.den);
  rate_current(number, &r, INT64_C(1700000000));
  require(rate_judge(&r, 3, INT64_C(1700000000), 86400) >= 0 && r.count <= INT64_MAX);
  require(rate_parse(&again, buf, rate_format(buf, &r, 0)));
  return 0;
}
