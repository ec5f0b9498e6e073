/* check_badext: an attachment has a name that is listed in badext.  The files have been asked while the
 * message was read; the user database, where it holds lines of the list too, is asked now. */
#include "smtp/checks.h"

static enum verdict refuse(struct policy_reply *r, const stralloc *name) {
  policy_say(r, VERDICT_REJECT, 552, "5.7.1", "attachments of this kind are not accepted here: ");
  if (!stralloc_cat(&r->text, name)) stralloc_cut(&r->text, 0);
  return VERDICT_REJECT;
}

enum verdict check_badext(const struct connection *c, const struct transaction *t, const struct conf *conf,
                          struct policy_reply *r) {
  const struct content *found = &t->content;
  struct strerr e;

  if (found->name.len) return refuse(r, &found->name);
  if (found->name_failed) return policy_say(r, VERDICT_FAILED, 0, "", found->name_failed);
  for (size_t i = 0; i < found->names.len; ++i) {
    const stralloc *name = &found->names.item[i];

    switch (list_match(c->lists, LIST_badext, name->s, name->len, c->lookup, &e)) {
      case LIST_NO: break;
      case LIST_YES: return refuse(r, name);
      case LIST_FAILED: return policy_say(r, VERDICT_FAILED, 0, "", e.text);
    }
  }
  /* Put off, it would come again for days: nobody can say what is in it. */
  if (found->too_many_names) return policy_say(r, VERDICT_REJECT, 552, "5.7.1", "more attachments than are accepted here");
  if (found->attachments.unreadable)
    return policy_say(r, VERDICT_REJECT, 552, "5.7.1", "attachments whose names cannot be read are not accepted here");
  return VERDICT_NEXT;
}
