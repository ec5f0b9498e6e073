/* lookup_answer: see lookup_answer.h.  There is no cache: a query costs about as much
 * as the socket it came over, and a password change is true at once. */
#include "user/lookup_answer.h"

#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "crypt/password.h"
#include "crypt/scram.h"
#include "user/app_password.h"
#include "user/catchall.h"
#include "user/name.h"
#include "user/userdb_filter.h"
#include "user/userdb_list.h"
#include "user/userdb_relay.h"

#define LASTAUTH_SECONDS 60 /* logins closer together are recorded once */
#define FAILURES 5 /* attempts to open the database, after which there is a pause */

/* Services a password may be asked for. */
static const struct {
  const char *name;
  uint32_t refused; /* by this flag of the user */
  const char *record; /* service name in lastauth, or null */
  int inactive; /* a login makes an inactive user active again */
  int opens_smtp; /* a login lets its address send mail, where open_smtp is set */
} services[] = {
    {"imap", USER_NO_IMAP, "imap", 1, 1},
    {"pop3", USER_NO_POP, "pop3", 1, 1},
    {"webmail", USER_NO_WEBMAIL, "webm", 1, 0},
    {"smtp", USER_NO_SMTP, 0, 0, 0},
};
#define SERVICES (sizeof services / sizeof *services)

/* One request under way. */
struct ask {
  struct lookup_service *s;
  uid_t asker;
  const struct lookup_request *r;
  struct address address;
  struct userdb_user user;
  size_t service; /* of a login: in services */
  const struct lookup_field *ip; /* it comes from */
  struct strerr e;
  unsigned wait; /* milliseconds the answer is to wait */
};

static int finish(struct ask *q, enum lookup_status status) {
  __atomic_fetch_add(&q->s->counters->status[status], 1, __ATOMIC_RELAXED);
  return lookup_answer_start(&q->s->fields, status);
}

static int say(struct ask *q, enum lookup_status status, const char *why) {
  return finish(q, status) && lookup_answer_put(&q->s->fields, why, strlen(why));
}

static int temporary(struct ask *q) {
  lookup_service_flush(q->s);
  return say(q, LOOKUP_STATUS_temporary, q->e.text);
}

/* The answer to anything but FOUND. */
static int other(struct ask *q, enum userdb_result r) {
  return r == USERDB_NONE ? finish(q, LOOKUP_STATUS_none) : temporary(q);
}

static int among(uid_t uid, const uid_t *list, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if (list[i] == uid) return 1;
  return 0;
}

static int trusted(const struct ask *q) {
  return among(q->asker, q->s->trusted, q->s->trusted_n);
}

static int may_deliver(const struct ask *q, uint32_t owner) {
  return trusted(q) || among(q->asker, q->s->delivery, q->s->delivery_n) ||
         (q->asker != LOOKUP_NOBODY && q->asker == owner);
}

/* Takes the address of argument 0 apart: 1, 0 it can be nobody's, -1 memory. */
static int parse_address(struct ask *q) {
  return address_parse(&q->address, q->r->arg[0].s, q->r->arg[0].n);
}

/* The (real) domain of the address. */
static enum userdb_result domain_of(struct ask *q, struct userdb_domain *d) {
  stralloc real = STRALLOC_INIT;
  enum userdb_result r = userdb_domain_real(&q->s->db, q->address.domain.s, &real, &q->e);

  if (r == USERDB_FOUND) r = userdb_domain_get(&q->s->db, real.s, d, &q->e);
  stralloc_free(&real);
  return r;
}

/* Neither user nor alias: a domain may take the name all the same. */
static enum userdb_result stray(struct ask *q) {
  struct userdb_domain d = {0};
  enum userdb_result r = domain_of(q, &d);

  if (r == USERDB_FOUND) r = catchall_find(d.dir.s, stralloc_cstr(&q->address.user), &q->e);
  userdb_domain_free(&d);
  return r;
}

/* user+detail where nobody has that name: the address is the user's own from here on.  1, or 0 when it is
 * none of that kind. */
static int drop_detail(struct ask *q) {
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

static int answer_user(struct ask *q) {
  int active = 0, bounce = 0, alias = 0;
  enum userdb_result r;
  int a = parse_address(q);

  if (a <= 0) return a == 0 && finish(q, LOOKUP_STATUS_none);
  r = user_or_alias(q, &active, &bounce, &alias);
  if (r == USERDB_NONE) r = stray(q);
  if (r == USERDB_NONE && drop_detail(q)) r = user_or_alias(q, &active, &bounce, &alias);
  if (r != USERDB_FOUND) return other(q, r);
  return say(q, LOOKUP_STATUS_ok, alias ? "alias" : bounce ? "overquota" : active ? "active" : "inactive");
}

static int put(stralloc *fields, const stralloc *sa) {
  return lookup_answer_put(fields, stralloc_cstr(sa), sa->len);
}

/* Version, status and the fields of an account need room as well. */
#define LINES_MAX (LOOKUP_FIELDS_MAX - 11)

static int too_many(struct ask *q) {
  return say(q, LOOKUP_STATUS_temporary, "the alias has more lines than an answer holds");
}

static int put_lines(struct ask *q, const struct strlist *lines) {
  for (size_t i = 0; i < lines->len; ++i)
    if (!put(&q->s->fields, &lines->item[i])) return 0;
  return 1;
}

static int put_account_fields(struct ask *q) {
  const struct userdb_user *u = &q->user;
  stralloc *f = &q->s->fields;
  stralloc quota = STRALLOC_INIT;
  int ok = quota_fmt(&quota, &u->quota) && put(f, &u->name) && put(f, &u->domain) &&
           put(f, &u->gecos) && put(f, &u->home) && put(f, &quota) && lookup_answer_putu(f, u->uid) &&
           lookup_answer_putu(f, u->gid) && lookup_answer_putu(f, u->flags) && lookup_answer_putu(f, u->active != 0);

  stralloc_free(&quota);
  return ok;
}

static int put_account(struct ask *q) {
  return finish(q, LOOKUP_STATUS_ok) && put_account_fields(q);
}

/* With the lines of an alias of the same name: whoever delivers wants both, and asks once. */
static int put_account_and_alias(struct ask *q, const struct strlist *lines) {
  if (lines->len > LINES_MAX) return too_many(q);
  return put_account(q) && put_lines(q, lines);
}

/* An alias of that very name goes before a user's detail.  *r: TEMPFAIL, else as it was. */
static int is_alias(struct ask *q, enum userdb_result *r) {
  struct strlist lines = {0};
  enum userdb_result alias = USERDB_NONE;

  if (q->s->plus && bytes_chr(q->address.user.s, q->address.user.len, '+') < q->address.user.len)
    alias = userdb_alias_get(&q->s->db, q->address.user.s, q->address.domain.s, &lines, &q->e);
  strlist_free(&lines);
  if (alias == USERDB_TEMPFAIL) *r = alias;
  return alias == USERDB_FOUND;
}

/* A stranger learns no more than from "user": that there is none. */
static int answer_account(struct ask *q) {
  struct strlist lines = {0};
  int a = parse_address(q);
  enum userdb_result r;
  int ok;

  if (a <= 0) return a == 0 && finish(q, LOOKUP_STATUS_none);
  r = userdb_account_get(&q->s->db, q->address.user.s, q->address.domain.s, &q->user, &lines, &q->e);
  if (r == USERDB_NONE && !is_alias(q, &r) && r == USERDB_NONE && drop_detail(q))
    r = userdb_account_get(&q->s->db, q->address.user.s, q->address.domain.s, &q->user, &lines, &q->e);
  if (r != USERDB_FOUND) ok = other(q, r);
  else ok = may_deliver(q, q->user.uid) ? put_account_and_alias(q, &lines) : finish(q, LOOKUP_STATUS_denied);
  strlist_free(&lines);
  return ok;
}

/* May the asker deliver in this domain?  1; 0 with what was found of it. */
static int is_his_domain(struct ask *q, enum userdb_result *r) {
  struct userdb_domain d = {0};
  int may = may_deliver(q, (uint32_t)LOOKUP_NOBODY);

  if (!may) {
    *r = domain_of(q, &d);
    may = *r == USERDB_FOUND && may_deliver(q, d.uid);
  }
  userdb_domain_free(&d);
  return may;
}

static int answer_alias(struct ask *q) {
  struct strlist lines = {0};
  enum userdb_result r;
  int a = parse_address(q);
  int ok;

  if (a <= 0) return a == 0 && finish(q, LOOKUP_STATUS_none);
  if (!is_his_domain(q, &r)) return r == USERDB_FOUND ? finish(q, LOOKUP_STATUS_denied) : other(q, r);
  r = userdb_alias_get(&q->s->db, q->address.user.s, q->address.domain.s, &lines, &q->e);
  if (r == USERDB_NONE && drop_detail(q)) r = userdb_alias_get(&q->s->db, q->address.user.s, q->address.domain.s, &lines, &q->e);
  if (lines.len > LINES_MAX) ok = too_many(q);
  else ok = r == USERDB_FOUND ? finish(q, LOOKUP_STATUS_ok) && put_lines(q, &lines) : other(q, r);
  strlist_free(&lines);
  return ok;
}

static int add_rule(void *ctx, const struct userdb_filter *f) {
  const char *const texts[] = {f->header, 0, f->keyword, f->folder, f->action};
  stralloc rule = STRALLOC_INIT;
  int ok = 1;

  for (size_t i = 0; ok && i < sizeof texts / sizeof *texts; ++i)
    ok = (texts[i] ? stralloc_cats(&rule, texts[i]) : stralloc_catu64(&rule, f->comparison)) && stralloc_append(&rule, '\n');
  ok = ok && strlist_add(ctx, rule.s, rule.len);
  stralloc_free(&rule);
  return !ok;
}

/* Those of user for user+detail too; but an account of that name without rules does not get them. */
static enum userdb_result rules_of(struct ask *q, struct strlist *rules) {
  enum userdb_result r = userdb_filter_each(&q->s->db, q->address.user.s, q->address.domain.s, add_rule, rules, &q->e);
  int active, bounce, alias;

  if (r != USERDB_NONE || bytes_chr(q->address.user.s, q->address.user.len, '+') == q->address.user.len) return r;
  r = user_or_alias(q, &active, &bounce, &alias);
  if (r != USERDB_NONE) return r == USERDB_FOUND ? USERDB_NONE : r;
  return drop_detail(q) ? userdb_filter_each(&q->s->db, q->address.user.s, q->address.domain.s, add_rule, rules, &q->e) : r;
}

/* Who may know them is who delivers there. */
static int answer_filters(struct ask *q) {
  struct strlist rules = {0};
  enum userdb_result r;
  int a = parse_address(q);
  int ok;

  if (a <= 0) return a == 0 && finish(q, LOOKUP_STATUS_none);
  if (!is_his_domain(q, &r)) return r == USERDB_FOUND ? finish(q, LOOKUP_STATUS_denied) : other(q, r);
  r = rules_of(q, &rules);
  ok = r == USERDB_FOUND ? finish(q, LOOKUP_STATUS_ok) && put_lines(q, &rules) : other(q, r);
  strlist_free(&rules);
  return ok;
}

/* The login name as an address: 1, 0, -1 as parse_address. */
static int parse_login(struct ask *q) {
  const struct lookup_field *f = &q->r->arg[0];
  stralloc full = STRALLOC_INIT;
  int r;

  if (bytes_chr(f->s, f->n, '@') < f->n || !*q->s->default_domain) return parse_address(q);
  r = stralloc_copyb(&full, f->s, f->n) && stralloc_catm(&full, "@", q->s->default_domain, (char *)0)
          ? address_parse(&q->address, full.s, full.len)
          : -1;
  stralloc_free(&full);
  return r;
}

static int answer_atrn(struct ask *q) {
  struct strlist domains = {0};
  enum userdb_result r;
  int a, ok;

  if (!trusted(q)) return finish(q, LOOKUP_STATUS_denied);
  a = parse_login(q);
  if (a <= 0) return a == 0 && finish(q, LOOKUP_STATUS_none);
  r = userdb_atrn_list(&q->s->db, q->address.user.s, q->address.domain.s, &domains, &q->e);
  if (domains.len > LINES_MAX) ok = too_many(q);
  else ok = r == USERDB_FOUND ? finish(q, LOOKUP_STATUS_ok) && put_lines(q, &domains) : other(q, r);
  strlist_free(&domains);
  return ok;
}

static int answer_domain(struct ask *q) {
  stralloc name = STRALLOC_INIT, real = STRALLOC_INIT;
  enum userdb_result r = USERDB_NONE;
  int ok = stralloc_copyb(&name, q->r->arg[0].s, q->r->arg[0].n);

  if (ok) {
    bytes_lower(name.s, name.len);
    r = userdb_domain_real(&q->s->db, name.s, &real, &q->e);
    ok = r == USERDB_FOUND ? finish(q, LOOKUP_STATUS_ok) && put(&q->s->fields, &real) : other(q, r);
  }
  stralloc_free(&name);
  stralloc_free(&real);
  return ok;
}

/* 1 right, 0 wrong, -1 could not be found out; *main: it is the user's own password, not one of a
 * program.  Takes the same time for a user that does not exist. */
static int check_password(struct ask *q, enum userdb_result r, const char *password, int *main) {
  *main = 0;
  if (r != USERDB_FOUND) {
    password_waste(password);
    return 0;
  }
  *main = password_verify(password, stralloc_cstr(&q->user.hash), &q->e);
  if (*main) return *main;
  r = app_password_check(&q->s->db, q->user.name.s, q->user.domain.s, password, services[q->service].name, &q->e);
  return r == USERDB_FOUND ? 1 : r == USERDB_NONE ? 0 : -1;
}

/* A wrong password: who guesses much waits longer for each answer. */
static int wrong(struct ask *q) {
  const struct lookup_field *ip = q->ip;
  struct throttle *t = &q->s->counters->throttle;
  int64_t now = wall_now();
  unsigned by_ip = ip->n ? throttle_failed(t, ip->s, ip->n, now) : 0;
  stralloc account = STRALLOC_INIT;

  if (stralloc_copy(&account, &q->address.user) && stralloc_append(&account, '@') && stralloc_cat(&account, &q->address.domain))
    q->wait = throttle_failed(t, account.s, account.len, now);
  if (by_ip > q->wait) q->wait = by_ip;
  stralloc_free(&account);
  return finish(q, LOOKUP_STATUS_none);
}

/* Its address may send mail for a while.  That it could not be written must not keep the user out. */
static void open_relay(struct ask *q, const char *ip) {
  stralloc address = STRALLOC_INIT;
  struct strerr ignored;

  if (!q->s->open_smtp || !*ip || !services[q->service].opens_smtp || q->user.flags & USER_NO_RELAY) return;
  if (stralloc_catm(&address, q->user.name.s, "@", q->user.domain.s, (char *)0))
    (void)!userdb_relay_set(&q->s->db, ip, address.s, &ignored);
  stralloc_free(&address);
}

/* What a login leaves behind; that it could not be written must not keep the user out. */
static enum userdb_result record_login(struct ask *q) {
  stralloc text = STRALLOC_INIT;
  struct strerr ignored;
  enum userdb_result r = USERDB_FOUND;
  const char *name = q->user.name.s, *domain = q->user.domain.s;

  if (!q->user.active) {
    r = userdb_user_activate(&q->s->db, name, domain, &q->e);
    if (r == USERDB_FOUND) q->user.active = 1;
  }
  if (r == USERDB_FOUND && services[q->service].record && stralloc_copyb(&text, q->ip->s, q->ip->n)) {
    (void)!userdb_lastauth_set(&q->s->db, name, domain, services[q->service].record, stralloc_cstr(&text), LASTAUTH_SECONDS,
                               &ignored);
    open_relay(q, stralloc_cstr(&text));
  }
  stralloc_free(&text);
  return r;
}

/* Who has no credentials for SCRAM yet (an imported hash) gets them when the password is
 * seen; that it could not be done must not keep the user out. */
static void learn_scram(struct ask *q, const char *password) {
  const struct userdb_user *u = &q->user;
  stralloc scram = STRALLOC_INIT;
  struct strerr ignored;

  if (u->scram.len) return;
  if (scram_credentials(q->s->scram_mechanisms, q->s->scram_iterations, password, &scram, &ignored) == 0 && scram.len)
    (void)!userdb_user_scram(&q->s->db, u->name.s, u->domain.s, u->hash.s, scram.s, &ignored);
  stralloc_wipe(&scram);
  stralloc_free(&scram);
}

/* The password is seen: a weak hash of it gives way to one of ours; that it could not be done
 * must not keep the user out. */
static void strengthen(struct ask *q, const char *password) {
  struct userdb_user *u = &q->user;
  stralloc hash = STRALLOC_INIT;
  struct strerr ignored;

  if (!password_is_weaker(stralloc_cstr(&u->hash), q->s->scheme)) return;
  if (password_hash(q->s->scheme, password, &hash, &ignored) == 0 &&
      userdb_user_rehash(&q->s->db, u->name.s, u->domain.s, u->hash.s, hash.s, &ignored) == USERDB_FOUND)
    (void)!stralloc_copy(&u->hash, &hash);
  stralloc_wipe(&hash);
}

/* May this user, whose password is right, use the service? */
static int may_use(const struct ask *q) {
  return !(q->user.flags & services[q->service].refused) && (q->user.active || services[q->service].inactive);
}

/* The user of a login name; NONE too where the name can be nobody's. */
static enum userdb_result login_user(struct ask *q) {
  int a = parse_login(q);

  if (a == 1) return userdb_user_get(&q->s->db, q->address.user.s, q->address.domain.s, &q->user, &q->e);
  if (a == -1) strerr_set(&q->e, "out of memory", (char *)0);
  return a == 0 ? USERDB_NONE : USERDB_TEMPFAIL;
}

/* What is to be done when the user is known for sure, and the answer. */
static int welcome(struct ask *q) {
  enum userdb_result r = record_login(q);

  return r == USERDB_FOUND ? put_account(q) : other(q, r);
}

static int verify(struct ask *q, const char *password) {
  enum userdb_result r = login_user(q);
  int right, main;

  if (r == USERDB_TEMPFAIL || r == USERDB_EXISTS) return temporary(q);
  right = check_password(q, r, password, &main);
  if (right == -1) return temporary(q);
  if (!right) return wrong(q);
  if (!may_use(q)) return finish(q, LOOKUP_STATUS_none);
  if (main) {
    strengthen(q, password);
    learn_scram(q, password);
  }
  return welcome(q);
}

/* Service and address of a login: arguments i and the next.  1, or 0: there is no such service. */
static int take_service(struct ask *q, size_t i) {
  const struct lookup_field *name = &q->r->arg[i];

  q->ip = name + 1;
  for (q->service = 0; q->service < SERVICES; ++q->service)
    if (bytes_equal(name->s, name->n, services[q->service].name, strlen(services[q->service].name))) return 1;
  return 0;
}

static int unknown_service(struct ask *q) {
  return say(q, LOOKUP_STATUS_bad, "unknown service");
}

static int answer_verify(struct ask *q) {
  stralloc password = STRALLOC_INIT;
  int ok = 0;

  if (!trusted(q)) return finish(q, LOOKUP_STATUS_denied);
  if (!take_service(q, 2)) return unknown_service(q);
  if (stralloc_copyb(&password, q->r->arg[1].s, q->r->arg[1].n)) ok = verify(q, password.s);
  stralloc_wipe(&password);
  return ok;
}

/* The same salt whenever this name is asked about, in any spelling: the user's own name, or
 * the one given in the domain it is of. */
static enum userdb_result fake_keys(struct ask *q, struct scram_keys *k) {
  stralloc secret = STRALLOC_INIT, name = STRALLOC_INIT, real = STRALLOC_INIT;
  const char *domain = stralloc_cstr(&q->address.domain);
  enum userdb_result r = userdb_secret(&q->s->db, "scram", &secret, &q->e);

  if (r == USERDB_FOUND) {
    r = userdb_domain_real(&q->s->db, domain, &real, &q->e);
    if (r == USERDB_NONE) r = USERDB_FOUND;
    else domain = stralloc_cstr(&real);
  }
  if (r == USERDB_FOUND && !stralloc_catm(&name, stralloc_cstr(&q->address.user), "@", domain, (char *)0)) {
    strerr_set(&q->e, "out of memory", (char *)0);
    r = USERDB_TEMPFAIL;
  }
  k->iterations = q->s->scram_iterations;
  if (r == USERDB_FOUND && scram_fake(k, secret.s, secret.len, name.s, name.len, &q->e) == -1) r = USERDB_TEMPFAIL;
  stralloc_wipe(&secret);
  stralloc_free(&secret);
  stralloc_free(&name);
  stralloc_free(&real);
  return r;
}

/* The keys of the user for the mechanism of argument 1: FOUND, or NONE with those of nobody.
 * These are made in any case, so that the time taken does not tell. */
static enum userdb_result find_keys(struct ask *q, struct scram_keys *k) {
  enum userdb_result r = login_user(q);
  struct scram_keys own;
  int has = 0;

  if (r == USERDB_TEMPFAIL || r == USERDB_EXISTS || fake_keys(q, k) != USERDB_FOUND) return USERDB_TEMPFAIL;
  if (r == USERDB_FOUND) has = scram_find(stralloc_cstr(&q->user.scram), k->hash, &own);
  if (has == -1) {
    strerr_set(&q->e, "out of memory", (char *)0);
    return USERDB_TEMPFAIL;
  }
  if (has) *k = own;
  explicit_bzero(&own, sizeof own);
  return has ? USERDB_FOUND : USERDB_NONE;
}

static int answer_scram_first(struct ask *q) {
  const struct lookup_field *name = &q->r->arg[1];
  struct scram_keys k;
  stralloc salt = STRALLOC_INIT;
  int ok;

  if (!trusted(q)) return finish(q, LOOKUP_STATUS_denied);
  if (!scram_hash_find(name->s, name->n, &k.hash)) return say(q, LOOKUP_STATUS_bad, "unknown mechanism");
  if (find_keys(q, &k) == USERDB_TEMPFAIL) return temporary(q);
  ok = base64_encode(&salt, (const char *)k.salt, k.salt_n) && finish(q, LOOKUP_STATUS_ok) && put(&q->s->fields, &salt) &&
       lookup_answer_putu(&q->s->fields, k.iterations);
  explicit_bzero(&k, sizeof k);
  stralloc_free(&salt);
  return ok;
}

/* The verdict on a proof. */
static int judge_proof(struct ask *q, const struct scram_keys *k, int known) {
  const struct lookup_field *text = &q->r->arg[4], *proof = &q->r->arg[5];
  stralloc signature = STRALLOC_INIT;
  enum userdb_result r;
  int right = scram_check(k, text->s, text->n, proof->s, proof->n, &signature, &q->e);
  int ok;

  if (right == -1) {
    ok = temporary(q);
  } else if (!right || !known) {
    ok = wrong(q);
  } else if (!may_use(q)) {
    ok = finish(q, LOOKUP_STATUS_none);
  } else {
    r = record_login(q);
    ok = r == USERDB_FOUND ? finish(q, LOOKUP_STATUS_ok) && put(&q->s->fields, &signature) && put_account_fields(q) : other(q, r);
  }
  stralloc_free(&signature);
  return ok;
}

static int answer_scram_final(struct ask *q) {
  const struct lookup_field *name = &q->r->arg[1];
  struct scram_keys k;
  enum userdb_result r;
  int ok;

  if (!trusted(q)) return finish(q, LOOKUP_STATUS_denied);
  if (!take_service(q, 2)) return unknown_service(q);
  if (!scram_hash_find(name->s, name->n, &k.hash)) return say(q, LOOKUP_STATUS_bad, "unknown mechanism");
  r = find_keys(q, &k);
  ok = r == USERDB_TEMPFAIL ? temporary(q) : judge_proof(q, &k, r == USERDB_FOUND);
  explicit_bzero(&k, sizeof k);
  return ok;
}

/* 0 too when there is a NUL in it. */
static int copy_argument(const struct ask *q, size_t i, stralloc *out) {
  return stralloc_copyb(out, q->r->arg[i].s, q->r->arg[i].n) && memchr(stralloc_cstr(out), 0, out->len) == 0;
}

static int answer_session(struct ask *q) {
  enum userdb_result r;

  if (!trusted(q)) return finish(q, LOOKUP_STATUS_denied);
  if (!take_service(q, 1)) return unknown_service(q);
  r = login_user(q);
  if (r != USERDB_FOUND) return other(q, r);
  return may_use(q) ? welcome(q) : finish(q, LOOKUP_STATUS_none);
}

static int answer_listed(struct ask *q) {
  static const char *const words[] = {[ADDRSET_NONE] = "none", [ADDRSET_IN] = "in", [ADDRSET_BACK] = "back", [ADDRSET_FAILED] = "none"};
  const struct lookup_field *kind = &q->r->arg[1], *subject = &q->r->arg[2];
  enum addrset_subject what = bytes_equal(kind->s, kind->n, "name", 4) ? ADDRSET_NAME : ADDRSET_ADDRESS;
  enum addrset_verdict verdict = ADDRSET_NONE;
  enum userdb_result r = USERDB_FOUND;
  stralloc list = STRALLOC_INIT;

  if (!trusted(q)) return finish(q, LOOKUP_STATUS_denied);
  if (copy_argument(q, 0, &list)) r = userdb_list_find(&q->s->db, list.s, what, subject->s, subject->n, &verdict, &q->e);
  stralloc_free(&list);
  return r == USERDB_TEMPFAIL ? temporary(q) : say(q, LOOKUP_STATUS_ok, words[verdict]);
}

static int answer_relay(struct ask *q) {
  stralloc ip = STRALLOC_INIT, address = STRALLOC_INIT;
  enum userdb_result r = USERDB_NONE;
  int ok;

  if (!trusted(q)) return finish(q, LOOKUP_STATUS_denied);
  if (copy_argument(q, 0, &ip)) r = userdb_relay_get(&q->s->db, ip.s, q->s->relay_seconds, &address, &q->e);
  ok = r == USERDB_FOUND ? finish(q, LOOKUP_STATUS_ok) && put(&q->s->fields, &address) : other(q, r);
  stralloc_free(&ip);
  stralloc_free(&address);
  return ok;
}

static int (*const answers[LOOKUP_OPS])(struct ask *) = {
#define LOOKUP_OP(id, name, arguments, right, pool, answer) answer_##id,
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

int lookup_answer(struct lookup_service *s, const char *msg, size_t n, uid_t asker, stralloc *out,
                  struct lookup_field *reply, unsigned *wait) {
  struct lookup_request r;
  const char *fault = lookup_request_parse(msg, n, &r);
  struct ask q = {.s = s, .asker = asker, .r = &r};
  int ok;

  *reply = r.reply;
  stralloc_cut(&s->fields, 0);
  if (fault) {
    ok = say(&q, LOOKUP_STATUS_bad, fault);
  } else {
    __atomic_fetch_add(&s->counters->op[r.op], 1, __ATOMIC_RELAXED);
    ok = ready(s, &q.e) == -1 ? temporary(&q) : answers[r.op](&q);
  }
  address_free(&q.address);
  userdb_user_free(&q.user);
  *wait = q.wait;
  return ok && lookup_answer_end(out, &s->fields);
}

void lookup_service_flush(struct lookup_service *s) {
  userdb_close(&s->db);
}

void lookup_service_free(struct lookup_service *s) {
  userdb_close(&s->db);
  stralloc_free(&s->fields);
}
