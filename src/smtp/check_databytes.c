/* check_databytes: the message was larger than databytes. */
#include "smtp/checks.h"
#include "smtp/notice.h"

enum verdict check_databytes(const struct connection *c, const struct transaction *t, const struct conf *conf,
                             struct policy_reply *r) {
  uint64_t max = conf_number(conf, SET_databytes);

  if (!max || session_message_bytes(t) <= max) return VERDICT_NEXT;
  if (conf_flag(conf, SET_databytes_notify) && t->recipients.len && t->sender.address.len) r->notice = notice_too_large;
  return policy_say(r, VERDICT_REJECT, 552, "5.3.4", "message too large");
}
