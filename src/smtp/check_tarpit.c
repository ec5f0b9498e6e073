/* check_tarpit: the more recipients somebody tries, the longer he waits. */
#include "smtp/checks.h"

enum verdict check_tarpit(const struct connection *c, const struct transaction *t, const struct conf *conf,
                          struct policy_reply *r) {
  uint64_t count = conf_number(conf, SET_tarpitcount);

  if (count && t->tried + 1 >= count) r->pause += conf_number(conf, SET_tarpitdelay);
  return VERDICT_NEXT;
}
