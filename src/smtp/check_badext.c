/* check_badext: an attachment has a name that is listed in badext. */
#include "smtp/checks.h"

enum verdict check_badext(const struct connection *c, const struct transaction *t, const struct conf *conf,
                          struct policy_reply *r) {
  if (!t->content.name.len && t->content.name_failed) return policy_say(r, VERDICT_FAILED, 0, "", t->content.name_failed);
  if (!t->content.name.len) return VERDICT_NEXT;
  policy_say(r, VERDICT_REJECT, 552, "5.7.1", "attachments of this kind are not accepted here: ");
  if (!stralloc_cat(&r->text, &t->content.name)) stralloc_cut(&r->text, 0);
  return VERDICT_REJECT;
}
