/* check_greylist: the greylisting daemon of GREYIP does not know this client, sender and recipient
 * yet: whoever tries again later gets through. */
#include "smtp/checks.h"
#include "smtp/greylist.h"

#define SECONDS 3

enum verdict check_greylist(const struct connection *c, const struct transaction *t, const struct conf *conf,
                            struct policy_reply *r) {
  const char *where = conf_line(conf, SET_greyip);
  stralloc question = STRALLOC_INIT;
  enum greylist_verdict v = GREYLIST_FAILED;
  struct strerr e;
  struct ip ip;
  uint16_t port;

  if (!*where) return VERDICT_NEXT;
  strerr_set(&e, "GREYIP is no address[@port], or the question is too long", (char *)0);
  if (greylist_server(where, &ip, &port) &&
      greylist_question(&question, c->ip, stralloc_cstr(&t->sender.address), stralloc_cstr(&t->recipient.address)))
    v = greylist_ask(&ip, port, &question, deadline_in(SECONDS), &e);
  stralloc_free(&question);
  if (v == GREYLIST_PASS) return VERDICT_NEXT;
  if (v == GREYLIST_WAIT) return policy_say(r, VERDICT_DEFER, 450, "4.7.1", "greylisted, please try again later");
  return policy_say(r, VERDICT_FAILED, 0, "", e.text);
}
