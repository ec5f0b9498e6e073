/* lookup_answer: see lookup_answer.h.  The database is asked each time: a query costs about as much
 * as the socket it came over, and a change is true at once.  Only while it cannot be asked an answer
 * it gave before is given again, to questions where that does no harm (lookup_ops.def): never that
 * there is no such user, which may have become wrong meanwhile. */
#include "user/lookup_answer.h"

#include <string.h>

#include "base/bytes.h"
#include "base/scan.h"
#include "net/ip.h"
#include "user/catchall.h"
#include "user/login_name.h"
#include "user/lookup_ask.h"
#include "user/userdb_list.h"
#include "user/userdb_map.h"
#include "user/userdb_overquota.h"
#include "user/userdb_relay.h"

#define FAILURES 5 /* attempts to open the database, after which there is a pause */

int lookup_finish(struct ask *q, enum lookup_status status) {
  __atomic_fetch_add(&q->s->counters->status[status], 1, __ATOMIC_RELAXED);
  q->status = status;
  if (!lookup_answer_start(&q->s->fields, status)) return 0;
  q->head = q->s->fields.len;
  return 1;
}

int lookup_say(struct ask *q, enum lookup_status status, const char *why) {
  return lookup_finish(q, status) && lookup_answer_put(&q->s->fields, why, strlen(why));
}

int lookup_temporary(struct ask *q) {
  lookup_service_flush(q->s);
  q->away = 1;
  return lookup_say(q, LOOKUP_STATUS_temporary, q->e.text);
}

/* The answer to anything but FOUND. */
int lookup_other(struct ask *q, enum userdb_result r) {
  return r == USERDB_NONE ? lookup_finish(q, LOOKUP_STATUS_none) : lookup_temporary(q);
}

static int among(uid_t uid, const uid_t *list, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if (list[i] == uid) return 1;
  return 0;
}

int lookup_trusts(const struct ask *q) {
  return among(q->asker, q->s->trusted, q->s->trusted_n);
}

int lookup_may_deliver(const struct ask *q, uint32_t owner) {
  return lookup_trusts(q) || among(q->asker, q->s->delivery, q->s->delivery_n) ||
         (q->asker != LOOKUP_NOBODY && q->asker == owner);
}

int lookup_parse_address(struct ask *q) {
  return address_parse(&q->address, q->r->arg[0].s, q->r->arg[0].n);
}

enum userdb_result lookup_domain_of(struct ask *q, struct userdb_domain *d) {
  stralloc real = STRALLOC_INIT;
  enum userdb_result r = userdb_domain_real(&q->s->db, q->address.domain.s, &real, &q->e);

  if (r == USERDB_FOUND) r = userdb_domain_get(&q->s->db, real.s, d, &q->e);
  stralloc_free(&real);
  return r;
}

/* Neither user nor alias: a domain may take the name all the same. */
static enum userdb_result stray(struct ask *q) {
  struct userdb_domain d = {0};
  enum userdb_result r = lookup_domain_of(q, &d);

  if (r == USERDB_FOUND) r = catchall_find(d.dir.s, stralloc_cstr(&q->address.user), &q->e);
  userdb_domain_free(&d);
  return r;
}

int lookup_drop_detail(struct ask *q) {
  size_t plus = bytes_chr(q->address.user.s, q->address.user.len, '+');

  if (!q->s->plus || !plus || plus == q->address.user.len) return 0;
  stralloc_cut(&q->address.user, plus);
  return 1;
}

static enum userdb_result user_or_alias(struct ask *q, int *active, int *bounce, int *alias) {
  struct lookup_service *s = q->s;
  struct strlist lines = {0};
  enum userdb_result r = userdb_user_state(&s->db, q->address.user.s, q->address.domain.s, active, bounce, &q->e);

  *alias = r == USERDB_NONE;
  if (r == USERDB_NONE) r = userdb_alias_get(&s->db, q->address.user.s, q->address.domain.s, &lines, &q->e);
  strlist_free(&lines);
  return r;
}

#define OVERQUOTA_SECONDS 3600 /* after so long a message is let through, whose delivery looks again */

/* The mailbox was found full a while ago, and nobody has said since that it is not. */
static enum userdb_result may_have_room(struct ask *q, int *bounce) {
  stralloc real = STRALLOC_INIT;
  int64_t at;
  enum userdb_result r = userdb_domain_real(&q->s->db, q->address.domain.s, &real, &q->e);

  if (r == USERDB_FOUND) r = userdb_overquota_get(&q->s->db, q->address.user.s, real.s, &at, &q->e);
  if (r == USERDB_FOUND && wall_now() - at > OVERQUOTA_SECONDS) *bounce = 0;
  stralloc_free(&real);
  return r == USERDB_NONE ? USERDB_FOUND : r;
}

/* The user himself, asked for by who delivers to him: 1 in q->user; 0 *answered is what became of another answer. */
static int delivered_user(struct ask *q, int *answered) {
  int a = lookup_parse_address(q);
  enum userdb_result r = a == 1 ? userdb_user_get(&q->s->db, q->address.user.s, q->address.domain.s, &q->user, &q->e) : USERDB_NONE;

  if (a < 0) *answered = 0;
  else if (r != USERDB_FOUND) *answered = lookup_other(q, r);
  else if (lookup_may_deliver(q, q->user.uid)) return 1;
  else *answered = lookup_finish(q, LOOKUP_STATUS_denied);
  return 0;
}

int lookup_answer_overquota(struct ask *q) {
  const struct lookup_field *text = &q->r->arg[1];
  enum userdb_result r;
  uint64_t bytes;
  int answered;

  if (!scan_u64_max(text->s, text->n, INT64_MAX, &bytes)) return lookup_say(q, LOOKUP_STATUS_bad, "not a number of bytes");
  if (!delivered_user(q, &answered)) return answered;
  sql_hurry(&q->s->db.sql, 1);
  r = userdb_overquota_set(&q->s->db, q->user.name.s, q->user.domain.s, (int64_t)bytes, &q->e);
  sql_hurry(&q->s->db.sql, 0);
  return r == USERDB_TEMPFAIL ? lookup_temporary(q) : lookup_say(q, LOOKUP_STATUS_ok, r == USERDB_FOUND ? "changed" : "same");
}

static int take_time(void *ctx, const char *service, const char *ip, int64_t at) {
  int64_t *times = ctx;

  (void)ip;
  if (!strcmp(service, "add")) times[0] = at;
  if (!strcmp(service, "pass")) times[1] = at;
  return 0;
}

int lookup_answer_times(struct ask *q) {
  int64_t times[2] = {0, 0};
  int answered;

  if (!delivered_user(q, &answered)) return answered;
  if (userdb_lastauth_each(&q->s->db, q->user.name.s, q->user.domain.s, take_time, times, &q->e) == USERDB_TEMPFAIL) return lookup_temporary(q);
  return lookup_finish(q, LOOKUP_STATUS_ok) && lookup_answer_putu(&q->s->fields, (uint64_t)times[0]) &&
         lookup_answer_putu(&q->s->fields, (uint64_t)times[1]);
}

int lookup_answer_user(struct ask *q) {
  int active = 0, bounce = 0, alias = 0;
  enum userdb_result r;
  int a = lookup_parse_address(q);

  if (a <= 0) return a == 0 && lookup_finish(q, LOOKUP_STATUS_none);
  r = user_or_alias(q, &active, &bounce, &alias);
  if (r == USERDB_NONE) r = stray(q);
  if (r == USERDB_NONE && lookup_drop_detail(q)) r = user_or_alias(q, &active, &bounce, &alias);
  if (r == USERDB_FOUND && bounce) r = may_have_room(q, &bounce);
  if (r != USERDB_FOUND) return lookup_other(q, r);
  return lookup_say(q, LOOKUP_STATUS_ok, alias ? "alias" : bounce ? "overquota" : active ? "active" : "inactive");
}

int lookup_put(stralloc *fields, const stralloc *sa) {
  return lookup_answer_put(fields, stralloc_cstr(sa), sa->len);
}

int lookup_put_account_fields(struct ask *q) {
  const struct userdb_user *u = &q->user;
  stralloc *f = &q->s->fields;
  stralloc quota = STRALLOC_INIT;
  int ok = quota_fmt(&quota, &u->quota) && lookup_put(f, &u->name) && lookup_put(f, &u->domain) &&
           lookup_put(f, &u->gecos) && lookup_put(f, &u->home) && lookup_put(f, &quota) && lookup_answer_putu(f, u->uid) &&
           lookup_answer_putu(f, u->gid) && lookup_answer_putu(f, u->flags) && lookup_answer_putu(f, u->active != 0);

  stralloc_free(&quota);
  return ok;
}

int lookup_put_account(struct ask *q) {
  return lookup_finish(q, LOOKUP_STATUS_ok) && lookup_put_account_fields(q);
}

static int too_many(struct ask *q) {
  return lookup_say(q, LOOKUP_STATUS_temporary, "the alias has more lines than an answer holds");
}

int lookup_put_lines(struct ask *q, const struct strlist *lines) {
  for (size_t i = 0; i < lines->len; ++i)
    if (!lookup_put(&q->s->fields, &lines->item[i])) return 0;
  return 1;
}

/* With the lines of an alias of the same name: whoever delivers wants both, and asks once. */
static int put_account_and_alias(struct ask *q, const struct strlist *lines) {
  if (lines->len > LOOKUP_LINES_MAX) return too_many(q);
  return lookup_put_account(q) && lookup_put_lines(q, lines);
}

int lookup_is_alias(struct ask *q, enum userdb_result *r) {
  struct strlist lines = {0};
  enum userdb_result alias = USERDB_NONE;

  if (q->s->plus && bytes_chr(q->address.user.s, q->address.user.len, '+') < q->address.user.len)
    alias = userdb_alias_get(&q->s->db, q->address.user.s, q->address.domain.s, &lines, &q->e);
  strlist_free(&lines);
  if (alias == USERDB_TEMPFAIL) *r = alias;
  return alias == USERDB_FOUND;
}

/* A stranger learns no more than from "user": that there is none. */
int lookup_answer_account(struct ask *q) {
  struct strlist lines = {0};
  int a = lookup_parse_address(q);
  enum userdb_result r;
  int ok;

  if (a <= 0) return a == 0 && lookup_finish(q, LOOKUP_STATUS_none);
  r = userdb_account_get(&q->s->db, q->address.user.s, q->address.domain.s, &q->user, &lines, &q->e);
  if (r == USERDB_NONE && !lookup_is_alias(q, &r) && r == USERDB_NONE && lookup_drop_detail(q))
    r = userdb_account_get(&q->s->db, q->address.user.s, q->address.domain.s, &q->user, &lines, &q->e);
  if (r != USERDB_FOUND) ok = lookup_other(q, r);
  else ok = lookup_may_deliver(q, q->user.uid) ? put_account_and_alias(q, &lines) : lookup_finish(q, LOOKUP_STATUS_denied);
  strlist_free(&lines);
  return ok;
}

/* May the asker deliver in this domain?  1; 0 with what was found of it. */
static int is_his_domain(struct ask *q, enum userdb_result *r) {
  struct userdb_domain d = {0};
  int may = lookup_may_deliver(q, (uint32_t)LOOKUP_NOBODY);

  if (!may) {
    *r = lookup_domain_of(q, &d);
    may = *r == USERDB_FOUND && lookup_may_deliver(q, d.uid);
  }
  userdb_domain_free(&d);
  return may;
}

int lookup_answer_alias(struct ask *q) {
  struct strlist lines = {0};
  enum userdb_result r;
  int a = lookup_parse_address(q);
  int ok;

  if (a <= 0) return a == 0 && lookup_finish(q, LOOKUP_STATUS_none);
  if (!is_his_domain(q, &r)) return r == USERDB_FOUND ? lookup_finish(q, LOOKUP_STATUS_denied) : lookup_other(q, r);
  r = userdb_alias_get(&q->s->db, q->address.user.s, q->address.domain.s, &lines, &q->e);
  if (r == USERDB_NONE && lookup_drop_detail(q)) r = userdb_alias_get(&q->s->db, q->address.user.s, q->address.domain.s, &lines, &q->e);
  if (lines.len > LOOKUP_LINES_MAX) ok = too_many(q);
  else ok = r == USERDB_FOUND ? lookup_finish(q, LOOKUP_STATUS_ok) && lookup_put_lines(q, &lines) : lookup_other(q, r);
  strlist_free(&lines);
  return ok;
}

/* The domain of the text [address]: FOUND, NONE, TEMPFAIL. */
static enum userdb_result domain_of_address(struct ask *q, const char *s, size_t n, stralloc *domain) {
  char text[IP_TEXT];
  struct ip ip;

  if (n < 2 || !ip_scan(s + 1, n - 2, &ip)) return USERDB_NONE;
  text[ip_fmt(text, &ip)] = 0;
  return userdb_ipmap_get(&q->s->db, text, domain, &q->e);
}

static int parse_login(struct ask *q, const stralloc *name) {
  const char *s = stralloc_cstr(name);
  size_t n = name->len, at = bytes_rchr(s, n, '@');
  int by_address = at < n && at + 1 < n && s[at + 1] == '[' && s[n - 1] == ']';
  stralloc full = STRALLOC_INIT, domain = STRALLOC_INIT;
  enum userdb_result found = by_address ? domain_of_address(q, s + at + 1, n - at - 1, &domain) : USERDB_NONE;
  const char *d = found == USERDB_FOUND ? stralloc_cstr(&domain) : q->s->default_domain;
  int r = -1;

  if (found != USERDB_TEMPFAIL) {
    if ((at < n && !by_address) || !*d) r = address_parse(&q->address, s, n);
    else if (stralloc_copyb(&full, s, at) && stralloc_catm(&full, "@", d, (char *)0)) r = address_parse(&q->address, full.s, full.len);
    if (r == -1) strerr_set(&q->e, "out of memory", (char *)0);
  }
  stralloc_free(&full);
  stralloc_free(&domain);
  return r;
}

int lookup_parse_login(struct ask *q) {
  stralloc name = STRALLOC_INIT;
  int r = login_name_prepare(&name, q->r->arg[0].s, q->r->arg[0].n);

  if (r == -1) strerr_set(&q->e, "out of memory", (char *)0);
  if (r == 1) r = parse_login(q, &name);
  stralloc_free(&name);
  return r;
}

int lookup_answer_atrn(struct ask *q) {
  struct strlist domains = {0};
  enum userdb_result r;
  int a, ok;

  if (!lookup_trusts(q)) return lookup_finish(q, LOOKUP_STATUS_denied);
  a = lookup_parse_login(q);
  if (a <= 0) return a == 0 ? lookup_finish(q, LOOKUP_STATUS_none) : lookup_temporary(q);
  r = userdb_atrn_list(&q->s->db, q->address.user.s, q->address.domain.s, &domains, &q->e);
  if (domains.len > LOOKUP_LINES_MAX) ok = too_many(q);
  else ok = r == USERDB_FOUND ? lookup_finish(q, LOOKUP_STATUS_ok) && lookup_put_lines(q, &domains) : lookup_other(q, r);
  strlist_free(&domains);
  return ok;
}

int lookup_answer_domain(struct ask *q) {
  stralloc name = STRALLOC_INIT, real = STRALLOC_INIT;
  enum userdb_result r = USERDB_NONE;
  int ok = stralloc_copyb(&name, q->r->arg[0].s, q->r->arg[0].n);

  if (ok) {
    bytes_lower(name.s, name.len);
    r = userdb_domain_real(&q->s->db, name.s, &real, &q->e);
    ok = r == USERDB_FOUND ? lookup_finish(q, LOOKUP_STATUS_ok) && lookup_put(&q->s->fields, &real) : lookup_other(q, r);
  }
  stralloc_free(&name);
  stralloc_free(&real);
  return ok;
}

/* 0 too when there is a NUL in it. */
static int copy_argument(const struct ask *q, size_t i, stralloc *out) {
  return stralloc_copyb(out, q->r->arg[i].s, q->r->arg[i].n) && memchr(stralloc_cstr(out), 0, out->len) == 0;
}

int lookup_answer_listed(struct ask *q) {
  static const char *const words[] = {[ADDRSET_NONE] = "none", [ADDRSET_IN] = "in", [ADDRSET_BACK] = "back", [ADDRSET_FAILED] = "none"};
  const struct lookup_field *kind = &q->r->arg[1], *subject = &q->r->arg[2];
  enum addrset_subject what = bytes_equal(kind->s, kind->n, "name", 4) ? ADDRSET_NAME : ADDRSET_ADDRESS;
  enum addrset_verdict verdict = ADDRSET_NONE;
  enum userdb_result r = USERDB_FOUND;
  stralloc list = STRALLOC_INIT;

  if (!lookup_trusts(q)) return lookup_finish(q, LOOKUP_STATUS_denied);
  if (copy_argument(q, 0, &list)) r = userdb_list_find(&q->s->db, list.s, what, subject->s, subject->n, &verdict, &q->e);
  stralloc_free(&list);
  return r == USERDB_TEMPFAIL ? lookup_temporary(q) : lookup_say(q, LOOKUP_STATUS_ok, words[verdict]);
}

int lookup_answer_relay(struct ask *q) {
  stralloc ip = STRALLOC_INIT, address = STRALLOC_INIT;
  enum userdb_result r = USERDB_NONE;
  int ok;

  if (!lookup_trusts(q)) return lookup_finish(q, LOOKUP_STATUS_denied);
  if (copy_argument(q, 0, &ip)) r = userdb_relay_get(&q->s->db, ip.s, q->s->relay_seconds, &address, &q->e);
  ok = r == USERDB_FOUND ? lookup_finish(q, LOOKUP_STATUS_ok) && lookup_put(&q->s->fields, &address) : lookup_other(q, r);
  stralloc_free(&ip);
  stralloc_free(&address);
  return ok;
}

static int (*const answers[LOOKUP_OPS])(struct ask *) = {
#define LOOKUP_OP(id, name, arguments, right, pool, away, answer) lookup_answer_##id,
#include "user/lookup_ops.def"
#undef LOOKUP_OP
};

/* A server that is away for long is not asked by every request: each attempt may take seconds. */
static int open_again(struct lookup_service *s, struct strerr *e) {
  deadline now = mono_now();

  if (!s->place->is_file && s->failed >= FAILURES && now < s->again) return strerr_set(e, "the user database cannot be reached", (char *)0);
  if (userdb_open(&s->db, s->place, SQL_RELAXED, e) == 0) {
    s->failed = 0;
    return 0;
  }
  s->failed++;
  s->again = mono_now() + (int64_t)s->place->retry * NS_PER_S;
  return -1;
}

/* The database, opened when it is not, or when it is no longer the one we opened. */
static int ready(struct lookup_service *s, struct strerr *e) {
  if (sql_is_open(&s->db.sql)) {
    if (!sql_changed(&s->db.sql)) return 0;
    userdb_close(&s->db);
  }
  return open_again(s, e);
}

/* The question as the cache knows it: what is asked, and by whom, for that decides what may be told. */
static int name_question(const struct ask *q) {
  stralloc *s = &q->s->question;
  int ok;

  stralloc_cut(s, 0);
  ok = stralloc_catu64(s, (uint64_t)q->r->op) && stralloc_append(s, ' ') && stralloc_catu64(s, q->asker);
  for (size_t i = 0; ok && i < lookup_ops[q->r->op].arguments; ++i)
    ok = stralloc_catz(s, q->r->arg[i].s, q->r->arg[i].n);
  if (!ok) stralloc_cut(s, 0);
  return ok;
}

/* Keeps what was found, or gives again what was found before: that only while the database cannot be
 * asked, and not what it has taken back since. */
static void fall_back(struct ask *q) {
  struct lookup_service *s = q->s;
  const int64_t now = mono_now() / NS_PER_S;
  stralloc answer = STRALLOC_INIT;

  if (lookup_ops[q->r->op].away != LOOKUP_KEPT || !s->stale_seconds || !name_question(q)) return;
  if (q->status == LOOKUP_STATUS_ok) answer_cache_put(&s->cache, &s->question, s->fields.s + q->head, s->fields.len - q->head, now);
  else if (!q->away) answer_cache_drop(&s->cache, &s->question);
  else if (lookup_answer_start(&answer, LOOKUP_STATUS_kept) && answer_cache_get(&s->cache, &s->question, now, s->stale_seconds, &answer) &&
           stralloc_copy(&s->fields, &answer))
    __atomic_fetch_add(&s->counters->kept, 1, __ATOMIC_RELAXED);
  stralloc_free(&answer);
}

int lookup_answer(struct lookup_service *s, const char *msg, size_t n, uid_t asker, stralloc *out,
                  struct lookup_field *reply, unsigned *wait) {
  struct lookup_request r;
  const char *fault = lookup_request_parse(msg, n, &r);
  struct ask q = {.s = s, .asker = asker, .r = &r};
  int ok;

  *reply = r.reply;
  stralloc_cut(&s->fields, 0);
  if (fault) {
    ok = lookup_say(&q, LOOKUP_STATUS_bad, fault);
  } else {
    __atomic_fetch_add(&s->counters->op[r.op], 1, __ATOMIC_RELAXED);
    ok = ready(s, &q.e) == -1 ? lookup_temporary(&q) : answers[r.op](&q);
    if (ok) fall_back(&q);
  }
  address_free(&q.address);
  userdb_user_free(&q.user);
  *wait = q.wait;
  return ok && lookup_answer_end(out, &s->fields);
}

void lookup_service_round(struct lookup_service *s) {
  sql_round(&s->db.sql);
}

void lookup_service_round_over(struct lookup_service *s) {
  sql_round_over(&s->db.sql);
}

int lookup_service_behind(const struct lookup_service *s) {
  return s->records.n != 0;
}

void lookup_service_later(struct lookup_service *s) {
  struct strerr ignored;

  if (!s->records.n || ready(s, &ignored) == -1) return;
  sql_hurry(&s->db.sql, 1);
  login_records_write(&s->records, &s->db, wall_now());
  sql_hurry(&s->db.sql, 0);
}

void lookup_service_flush(struct lookup_service *s) {
  userdb_close(&s->db);
}

void lookup_service_forget(struct lookup_service *s) {
  lookup_service_flush(s);
  answer_cache_free(&s->cache);
}

void lookup_service_free(struct lookup_service *s) {
  userdb_close(&s->db);
  answer_cache_free(&s->cache);
  login_records_free(&s->records);
  stralloc_free(&s->fields);
  stralloc_free(&s->question);
}
