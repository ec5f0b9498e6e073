/* letter_reply: see letter_reply.h. */
#include "smtp/letter_reply.h"

int letter_reply(stralloc *out, unsigned code, const char *enhanced, const char *text) {
  static const char letters[] = "KKKKZD"; /* by the first digit */

  return stralloc_append(out, letters[code / 100]) && stralloc_cats(out, text) &&
         (code < 400 || !*enhanced || stralloc_catm(out, " (#", enhanced, ")", (char *)0));
}
