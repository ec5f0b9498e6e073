/* alias_change: see alias_change.h. */
#include "user/alias_change.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "user/account.h"
#include "user/limits.h"
#include "user/lookup_proto.h"
#include "user/userdb_part.h"

enum kind { ALIAS, FORWARD };

/* What the limits say of a kind of lines. */
static const struct {
  enum limit most, perm;
  const char *too_many, *refused;
} kinds[] = {
    [ALIAS] = {LIMIT_ALIASES, LIMIT_PERM_ALIAS, "the domain has as many aliases as its limits allow",
               "the limits of the domain do not allow this change of aliases"},
    [FORWARD] = {LIMIT_FORWARDS, LIMIT_PERM_FORWARD, "the domain has as many forwards as its limits allow",
                 "the limits of the domain do not allow this change of forwards"},
};

static enum kind kind_of(const char *line, const char *domain) {
  const char *at = strrchr(line, '@');
  size_t n = strlen(domain);

  if (*line == '|' || *line == '/' || !at) return ALIAS;
  return strlen(at + 1) == n && bytes_caseequal(at + 1, domain, n) ? ALIAS : FORWARD;
}

/* Names of the domain that have lines of this kind, and whether name is one of them.  pairs come by
 * name. */
static int64_t count(const struct strlist *pairs, const char *domain, enum kind kind, const char *name, int *has) {
  const char *last = "";
  int64_t n = 0;

  *has = 0;
  for (size_t i = 0; i + 1 < pairs->len; i += 2) {
    const char *alias = stralloc_cstr(&pairs->item[i]);

    if (kind_of(stralloc_cstr(&pairs->item[i + 1]), domain) != kind) continue;
    *has |= !strcmp(alias, name);
    if (account_is_reserved(alias) || !strcmp(alias, last)) continue;
    last = alias;
    ++n;
  }
  return n;
}

/* 0, or -1 with e. */
static int check(struct site *s, const struct alias_change *c, const struct userdb_domain *d, struct strerr *e) {
  enum kind kind = kind_of(c->line ? c->line : c->old, d->domain.s);
  struct strlist pairs = {0};
  struct limits l;
  int64_t most, n;
  int has, needs, r = limits_in_force(s, d->domain.s, stralloc_cstr(&d->dir), "", &l, e);

  if (r == 0 && userdb_alias_list(&s->db, d->domain.s, &pairs, e) == USERDB_TEMPFAIL) r = -1;
  if (r == 0) {
    most = l.v[kinds[kind].most];
    n = count(&pairs, d->domain.s, kind, c->name, &has);
    needs = !c->line ? LIMIT_DELETE : has ? LIMIT_MODIFY : LIMIT_CREATE;
    if (l.v[kinds[kind].perm] & needs) r = site_permanent(e, c->name, kinds[kind].refused);
    else if (needs == LIMIT_CREATE && most >= 0 && n >= most && !account_is_reserved(c->name))
      r = site_permanent(e, c->name, kinds[kind].too_many);
  }
  strlist_free(&pairs);
  return r;
}

/* What an alias has must fit in one answer of inlookup, or nobody could deliver to it. */
static int fits(struct site *s, const struct alias_change *c, const char *domain, struct strerr *e) {
  struct strlist lines = {0};
  size_t bytes = strlen(c->line);
  int r = userdb_alias_get(&s->db, c->name, domain, &lines, e) == USERDB_TEMPFAIL ? -1 : 0;

  for (size_t i = 0; i < lines.len; ++i) bytes += lines.item[i].len;
  if (r == 0 && (lines.len >= LOOKUP_LINES_MAX || bytes > LOOKUP_LINES_BYTES)) r = site_permanent(e, c->name, "the alias cannot have more lines");
  strlist_free(&lines);
  return r;
}

static enum userdb_result change(struct site *s, const char *domain, const struct alias_change *c, struct strerr *e) {
  struct userdb_domain d = {0};
  enum userdb_result r = userdb_domain_lock(&s->db, domain, e);

  if (r == USERDB_FOUND) r = userdb_domain_get(&s->db, domain, &d, e);
  if (r == USERDB_FOUND && check(s, c, &d, e) == -1) r = USERDB_TEMPFAIL;
  if (r == USERDB_FOUND && c->line && !c->old && fits(s, c, domain, e) == -1) r = USERDB_TEMPFAIL;
  if (r == USERDB_FOUND)
    r = !c->old    ? userdb_alias_add(&s->db, c->name, domain, c->line, e)
        : !c->line ? userdb_alias_delete(&s->db, c->name, domain, c->old, e)
                   : userdb_alias_change(&s->db, c->name, domain, c->old, c->line, e);
  userdb_domain_free(&d);
  return r;
}

enum userdb_result alias_change(struct site *s, const struct alias_change *c, struct strerr *e) {
  stralloc real = STRALLOC_INIT;
  enum userdb_result r = userdb_domain_real(&s->db, c->domain, &real, e);

  if (r == USERDB_FOUND && sql_begin(&s->db.sql, e) == -1) r = USERDB_TEMPFAIL;
  if (r == USERDB_FOUND) r = change(s, real.s, c, e);
  if (r == USERDB_FOUND && sql_commit(&s->db.sql, e) == -1) r = USERDB_TEMPFAIL;
  sql_rollback(&s->db.sql); /* after a commit there is nothing to take back */
  stralloc_free(&real);
  return r;
}
