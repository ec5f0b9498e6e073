/* lookup_filter: the answer about rules of vfilter: all that count for mail to an address, at once. */
#include <string.h>

#include "base/bytes.h"
#include "user/lookup_ask.h"
#include "user/userdb_filter.h"

static const char *group_of(const char *owner) {
  return !strcmp(owner, "prefilt") || !strcmp(owner, "postfilt") ? owner : "user";
}

struct rules {
  struct strlist list;
  int failed; /* memory: a part of them is worse than none */
};

static int add_rule(void *ctx, const char *owner, const struct userdb_filter *f) {
  const char *const texts[] = {group_of(owner), f->header, 0, f->keyword, f->folder, f->action};
  struct rules *rules = ctx;
  stralloc rule = STRALLOC_INIT;
  int ok = 1;

  for (size_t i = 0; ok && i < sizeof texts / sizeof *texts; ++i)
    ok = (texts[i] ? stralloc_cats(&rule, texts[i]) : stralloc_catu64(&rule, f->comparison)) && stralloc_append(&rule, '\n');
  ok = ok && strlist_add(&rules->list, rule.s, rule.len);
  stralloc_free(&rule);
  rules->failed |= !ok;
  return !ok;
}

/* Whose rules they are: the user, or for user+detail, where that is nobody, the user without it.  FOUND, also
 * where there is no such user (q->user stays empty): what a domain has for all counts for anybody. */
static enum userdb_result find_user(struct ask *q) {
  struct userdb *db = &q->s->db;
  enum userdb_result r = userdb_user_get(db, q->address.user.s, q->address.domain.s, &q->user, &q->e);

  if (r == USERDB_NONE && !lookup_is_alias(q, &r) && r == USERDB_NONE && lookup_drop_detail(q))
    r = userdb_user_get(db, q->address.user.s, q->address.domain.s, &q->user, &q->e);
  return r == USERDB_TEMPFAIL ? r : USERDB_FOUND;
}

/* Who may know them is who delivers there. */
int lookup_answer_filters(struct ask *q) {
  struct userdb_domain d = {0};
  struct rules rules = {0};
  enum userdb_result r;
  int a = lookup_parse_address(q);
  int ok;

  if (a <= 0) return a == 0 && lookup_finish(q, LOOKUP_STATUS_none);
  r = lookup_domain_of(q, &d);
  if (r == USERDB_FOUND && !lookup_may_deliver(q, d.uid)) {
    ok = lookup_finish(q, LOOKUP_STATUS_denied);
  } else {
    if (r == USERDB_FOUND) r = find_user(q);
    /* no rules are an answer too, which is kept for when the database is away: most users have none */
    if (r == USERDB_FOUND && userdb_filter_all(&q->s->db, q->address.user.s, d.domain.s, add_rule, &rules, &q->e) == USERDB_TEMPFAIL) r = USERDB_TEMPFAIL;
    if (rules.failed) ok = 0;
    else ok = r != USERDB_FOUND ? lookup_other(q, r)
                           : lookup_finish(q, LOOKUP_STATUS_ok) && lookup_put(&q->s->fields, &q->user.home) && lookup_put_lines(q, &rules.list);
  }
  userdb_domain_free(&d);
  strlist_free(&rules.list);
  return ok;
}
