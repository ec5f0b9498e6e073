/* exitcodes: see exitcodes.h. */
#include "queue/exitcodes.h"

#include <stddef.h>

static const struct {
  int code;
  const char *reply;
} rows[] = {
#define EXITCODE(code, name, reply, meaning) {code, reply},
#include "queue/exitcodes.def"
#undef EXITCODE
};

const char *exitcodes_reply(int code) {
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i)
    if (rows[i].code == code) return rows[i].reply;
  if (code >= 11 && code <= 40) return "Dmail server permanently rejected message (#5.3.0)";
  return "Zmail server temporarily rejected message (#4.3.0)";
}
