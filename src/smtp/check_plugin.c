/* check_plugin: what plugins of the administrator's say of a sender, a recipient and a message: see
 * smtp/plugins.h.  One that cannot be asked is a lookup that failed. */
#include <string.h>

#include "smtp/checks.h"

static enum verdict ask(const struct connection *c, const struct plugin_question *q, struct policy_reply *r) {
  struct plugin_reply said;
  struct strerr e;

  switch (plugin_host_ask(c->plugin_host, c->plugins, q, &said, &e)) {
    case PLUGIN_ACCEPTS: return VERDICT_NEXT;
    case PLUGIN_FAILS: return policy_say(r, VERDICT_FAILED, 0, "", e.text);
    case PLUGIN_REFUSES: break;
  }
  memcpy(c->plugin_host->status, said.enhanced, sizeof said.enhanced);
  return policy_say(r, said.code < 500 ? VERDICT_DEFER : VERDICT_REJECT, said.code, c->plugin_host->status, said.text);
}

static int any(const struct connection *c) {
  return c->plugins && c->plugins->files.len;
}

enum verdict check_plugin_mail(const struct connection *c, const struct transaction *t, const struct conf *conf,
                               struct policy_reply *r) {
  const struct plugin_question q = {PLUGIN_MAIL, {c->ip, stralloc_cstr(&t->sender.address)}};

  return any(c) ? ask(c, &q, r) : VERDICT_NEXT;
}

enum verdict check_plugin_rcpt(const struct connection *c, const struct transaction *t, const struct conf *conf,
                               struct policy_reply *r) {
  const struct plugin_question q = {PLUGIN_RCPT, {c->ip, stralloc_cstr(&t->sender.address), stralloc_cstr(&t->recipient.address)}};

  return any(c) ? ask(c, &q, r) : VERDICT_NEXT;
}

enum verdict check_plugin_data(const struct connection *c, const struct transaction *t, const struct conf *conf,
                               struct policy_reply *r) {
  const char *local = *c->local_host ? c->local_host : conf_line(conf, SET_me);
  const struct plugin_question q = {PLUGIN_DATA, {local, c->ip, c->host, c->authenticated ? stralloc_cstr(&c->user) : c->info}};

  return any(c) ? ask(c, &q, r) : VERDICT_NEXT;
}
