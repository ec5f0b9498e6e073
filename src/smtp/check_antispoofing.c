/* check_antispoofing: with ANTISPOOFING set, a sender in one of our domains is an address that
 * exists, used by somebody who has logged in, and as MASQUERADE says his own. */
#include <string.h>

#include "base/bytes.h"
#include "smtp/checks.h"
#include "smtp/our_domains.h"
#include "smtp/user_exists.h"

/* A domain whose users are ours: 1, 0, -1 with the reply filled. */
static int concerned(const struct connection *c, const struct conf *conf, const struct smtp_path *p, struct policy_reply *r) {
  struct strerr e;
  size_t n;
  const char *domain = smtp_path_domain(p, &n);
  int ours;

  if (list_is_there(c->lists, LIST_chksenderdomains)) switch (list_match(c->lists, LIST_chksenderdomains, domain, n, c->lookup, &e)) {
      case LIST_NO: return 0;
      case LIST_YES: return 1;
      case LIST_FAILED: policy_say(r, VERDICT_FAILED, 0, "", e.text); return -1;
    }
  if (conf_has(conf_lines(conf, SET_locals), domain, n)) return 1;
  ours = user_is_virtual(conf, p) ? our_domains_has(conf, domain, n) : 0;
  if (ours == -1) policy_say(r, VERDICT_FAILED, 0, "", "unable to read morercpthosts.cdb");
  return ours;
}

/* A login name without a domain is one of the default domain. */
static int is_himself(const struct connection *c, const struct conf *conf, const stralloc *sender) {
  const char *domain = conf_line(conf, SET_default_domain);
  size_t n = c->user.len;

  if (!*domain) domain = conf_line(conf, SET_me);
  if (bytes_chr(c->user.s, n, '@') < n) return n == sender->len && bytes_caseequal(c->user.s, sender->s, n);
  return sender->len == n + 1 + strlen(domain) && bytes_caseequal(c->user.s, sender->s, n) && sender->s[n] == '@' &&
         bytes_caseequal(domain, sender->s + n + 1, strlen(domain));
}

static int may_be(const struct connection *c, const struct conf *conf, const stralloc *sender) {
  const char *only = conf_line(conf, SET_masquerade);

  if (is_himself(c, conf, sender)) return 1;
  if (!conf_isset(conf, SET_masquerade)) return 0;
  return !*only || (strlen(only) == sender->len && bytes_caseequal(only, sender->s, sender->len));
}

static enum verdict exists(const struct connection *c, const struct transaction *t, const struct conf *conf,
                           struct policy_reply *r) {
  struct strerr e;

  if (!user_is_virtual(conf, &t->sender)) return VERDICT_NEXT;
  switch (user_exists(c->lookup, conf, &t->sender, &e)) {
    case USER_YES:
    case USER_OVERQUOTA:
    case USER_UNKNOWN: return VERDICT_NEXT;
    case USER_NO: return policy_say(r, VERDICT_REJECT, 553, "5.1.0", "there is no such sender here");
    case USER_INACTIVE: return policy_say(r, VERDICT_REJECT, 553, "5.1.0", "this sender's mailbox is not active");
    case USER_FAILED: break;
  }
  return policy_say(r, VERDICT_FAILED, 0, "", e.text);
}

enum verdict check_antispoofing(const struct connection *c, const struct transaction *t, const struct conf *conf,
                                struct policy_reply *r) {
  int ours = conf_flag(conf, SET_antispoofing) ? concerned(c, conf, &t->sender, r) : 0;

  if (ours != 1) return ours == 0 ? VERDICT_NEXT : VERDICT_FAILED;
  if (!c->authenticated) return policy_say(r, VERDICT_REJECT, 530, "5.7.1", "log in to send mail as a user of this system");
  if (!may_be(c, conf, &t->sender.address)) return policy_say(r, VERDICT_REJECT, 553, "5.7.1", "you may not send mail as somebody else");
  return exists(c, t, conf, r);
}
