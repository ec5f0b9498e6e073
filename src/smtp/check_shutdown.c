/* check_shutdown: SHUTDOWN is set.  Its value may be "CODE text", CODE one of 421,
 * 521 and 554. */
#include <string.h>

#include "base/scan.h"
#include "smtp/checks.h"

enum verdict check_shutdown(const struct connection *c, const struct transaction *t, const struct conf *conf,
                            struct policy_reply *r) {
  const char *text = conf_line(conf, SET_shutdown);
  uint64_t code = 421;

  if (!conf_isset(conf, SET_shutdown)) return VERDICT_NEXT;
  if (strlen(text) > 4 && text[3] == ' ' && scan_u64(text, 3, &code) && (code == 421 || code == 521 || code == 554)) text += 4;
  else code = 421;
  if (!*text) text = "service is shut down, please try again later";
  return policy_say(r, code == 421 ? VERDICT_DEFER : VERDICT_REJECT, (unsigned)code, code == 421 ? "4.3.2" : "5.3.2", text);
}
