/* lookup_login: answers about logins: passwords, SCRAM, and logins that somebody else has judged. */
#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "crypt/password.h"
#include "crypt/scram.h"
#include "crypt/totp.h"
#include "user/app_password.h"
#include "user/lookup_ask.h"
#include "user/userdb_totp.h"

#define LASTAUTH_SECONDS 60 /* logins closer together are recorded once */
/* Services a password may be asked for. */
static const struct {
  struct admission_service admission; /* name, in lastauth, refused by, for inactive users (a login makes them active), as often as one likes */
  int opens_smtp; /* a login lets its address send mail, where open_smtp is set */
} services[] = {
    {{"imap", "imap", USER_NO_IMAP, 1, 0}, 1},
    {{"pop3", "pop3", USER_NO_POP, 1, 0}, 1},
    {{"webmail", "webm", USER_NO_WEBMAIL, 1, 0}, 0},
    {{"smtp", "smtp", USER_NO_SMTP, 0, 1}, 0},
    {{"dialup", 0, USER_NO_DIALUP, 0, 0}, 0}, /* for programs of others: a RADIUS server */
    {{"passwd", 0, USER_NO_PASSWD_CHANGE, 0, 0}, 0}, /* to change it */
};
#define SERVICES (sizeof services / sizeof *services)
#define SERVICE_PASSWD (SERVICES - 1)

/* What changing a password takes: the user's own, and right behind it, of one who has a secret for it (vtotp), a
 * code by time.  step: of the code, 0 where there is none. */
struct proof {
  stralloc password;
  int64_t step;
};

/* The code at the end of it, with the secret t: 1 right, 0 wrong, -1. */
static int check_code(struct ask *q, const struct userdb_totp *t, struct proof *p) {
  const size_t n = p->password.len < TOTP_DIGITS ? 0 : TOTP_DIGITS;
  const char *code = p->password.s + p->password.len - n;
  int right = totp_check(stralloc_cstr(&t->secret), code, n, wall_now(), t->step, &p->step);

  stralloc_cut(&p->password, p->password.len - n);
  return right == -1 ? strerr_set(&q->e, "the secret of this user's codes cannot be used", (char *)0) : right;
}

/* Is given the proof that p becomes?  1, 0 wrong (which of both is not told), -1.  Takes the same time for a user
 * that does not exist. */
static int check_proof(struct ask *q, enum userdb_result r, const char *given, struct proof *p) {
  struct userdb_totp t = {.created = 0};
  enum userdb_result has = USERDB_NONE;
  int code = 1, password = -1;

  if (!stralloc_copys(&p->password, given)) return strerr_set(&q->e, "out of memory", (char *)0);
  if (r == USERDB_FOUND) has = userdb_totp_get(&q->s->db, q->user.name.s, q->user.domain.s, &t, &q->e);
  if (has == USERDB_FOUND) code = check_code(q, &t, p);
  if (r != USERDB_FOUND) password_waste(given);
  if (has == USERDB_TEMPFAIL || has == USERDB_EXISTS) code = -1;
  else if (r == USERDB_FOUND) password = password_verify(p->password.s, stralloc_cstr(&q->user.hash), &q->e);
  userdb_totp_free(&t);
  if (r != USERDB_FOUND) return 0;
  return code == -1 || password == -1 ? -1 : code && password;
}

static void forget_proof(struct proof *p) {
  stralloc_wipe(&p->password);
  stralloc_free(&p->password);
}

/* For the service that changes it: the code stays good for the change itself. */
static int check_for_change(struct ask *q, enum userdb_result r, const char *given) {
  struct proof p = {STRALLOC_INIT, 0};
  int right = check_proof(q, r, given, &p);

  forget_proof(&p);
  return right;
}

/* 1 right, 0 wrong, -1 could not be found out; *main: it is the user's own password, not one of a
 * program.  Takes the same time for a user that does not exist. */
static int check_password(struct ask *q, enum userdb_result r, const char *password, int *main) {
  *main = 0;
  if (q->service == SERVICE_PASSWD) return check_for_change(q, r, password);
  if (r != USERDB_FOUND) {
    password_waste(password);
    return 0;
  }
  *main = password_verify(password, stralloc_cstr(&q->user.hash), &q->e);
  if (*main) return *main;
  r = app_password_check(&q->s->db, q->user.name.s, q->user.domain.s, password, services[q->service].admission.name, &q->e);
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
  return lookup_finish(q, LOOKUP_STATUS_none);
}

/* So long after a login the next is not recorded: as exactly as somebody asks for. */
static int64_t record_seconds(const struct ask *q) {
  const uint64_t interval = q->s->admission.login_interval;

  return interval && interval < LASTAUTH_SECONDS ? (int64_t)interval : LASTAUTH_SECONDS;
}

/* That it was, and, where open_smtp is set, that its address may send mail for a while. */
static void record(struct ask *q, const char *service, const char *ip) {
  struct login_event event = {q->user.name.s, q->user.domain.s, service, ip, wall_now(), record_seconds(q)};

  login_record(&q->s->records, &q->s->db, &event);
  if (!q->s->open_smtp || !*ip || !services[q->service].opens_smtp || q->user.flags & USER_NO_RELAY) return;
  event.service = 0;
  login_record(&q->s->records, &q->s->db, &event);
}

/* What a login leaves behind.  Who was inactive gets mail from now on, or is told to come again; that the rest could
 * not be written must not keep the user out, nor waiting: sql_hurry. */
static enum userdb_result record_login(struct ask *q) {
  const char *service = services[q->service].admission.record;
  enum userdb_result r = USERDB_FOUND;
  stralloc text = STRALLOC_INIT;

  if (!q->user.active) r = userdb_user_activate(&q->s->db, q->user.name.s, q->user.domain.s, &q->e); /* the answer says it was not */
  sql_hurry(&q->s->db.sql, 1);
  if (r == USERDB_FOUND && service && !q->s->no_lastauth && stralloc_copyb(&text, q->ip->s, q->ip->n)) record(q, service, stralloc_cstr(&text));
  sql_hurry(&q->s->db.sql, 0);
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

/* The user of a login name; NONE too where the name can be nobody's. */
static enum userdb_result login_user(struct ask *q) {
  int a = lookup_parse_login(q);

  if (a == 1) return userdb_user_get(&q->s->db, q->address.user.s, q->address.domain.s, &q->user, &q->e);
  return a == 0 ? USERDB_NONE : USERDB_TEMPFAIL;
}

/* The user is known for sure: may it come in?  1; 0 when not, *ok: the answer was made. */
static int admit(struct ask *q, int *ok) {
  const char *why;

  switch (admission_judge(&q->s->db, &q->user, &services[q->service].admission, &q->s->admission, &why, &q->e)) {
    case ADMISSION_YES: return 1;
    case ADMISSION_NO: *ok = lookup_say(q, LOOKUP_STATUS_none, why); return 0;
    case ADMISSION_LATER: *ok = lookup_say(q, LOOKUP_STATUS_temporary, why); return 0;
    case ADMISSION_TEMPFAIL: break;
  }
  *ok = lookup_temporary(q);
  return 0;
}

/* What is to be done then, and the answer, behind the signature if there is one. */
static int welcome(struct ask *q, const stralloc *signature) {
  enum userdb_result r = record_login(q);

  if (r != USERDB_FOUND) return lookup_other(q, r);
  return lookup_finish(q, LOOKUP_STATUS_ok) && (!signature || lookup_put(&q->s->fields, signature)) && lookup_put_account_fields(q);
}

static int verify(struct ask *q, const char *password) {
  enum userdb_result r = login_user(q);
  int right, main, ok;

  if (r == USERDB_TEMPFAIL || r == USERDB_EXISTS) return lookup_temporary(q);
  right = check_password(q, r, password, &main);
  if (right == -1) return lookup_temporary(q);
  if (!right) return wrong(q);
  if (!admit(q, &ok)) return ok;
  if (main) { /* or at the next login */
    sql_hurry(&q->s->db.sql, 1);
    strengthen(q, password);
    learn_scram(q, password);
    sql_hurry(&q->s->db.sql, 0);
  }
  return welcome(q, 0);
}

/* Service and address of a login: arguments i and the next.  1, or 0: there is no such service. */
static int take_service(struct ask *q, size_t i) {
  const struct lookup_field *name = &q->r->arg[i];

  q->ip = name + 1;
  for (q->service = 0; q->service < SERVICES; ++q->service)
    if (bytes_equal(name->s, name->n, services[q->service].admission.name, strlen(services[q->service].admission.name))) return 1;
  return 0;
}

static int unknown_service(struct ask *q) {
  return lookup_say(q, LOOKUP_STATUS_bad, "unknown service");
}

int lookup_answer_verify(struct ask *q) {
  stralloc password = STRALLOC_INIT;
  int ok = 0;

  if (!lookup_trusts(q)) return lookup_finish(q, LOOKUP_STATUS_denied);
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

int lookup_answer_scram_first(struct ask *q) {
  const struct lookup_field *name = &q->r->arg[1];
  struct scram_keys k;
  stralloc salt = STRALLOC_INIT;
  int ok;

  if (!lookup_trusts(q)) return lookup_finish(q, LOOKUP_STATUS_denied);
  if (!scram_hash_find(name->s, name->n, &k.hash)) return lookup_say(q, LOOKUP_STATUS_bad, "unknown mechanism");
  if (find_keys(q, &k) == USERDB_TEMPFAIL) return lookup_temporary(q);
  ok = base64_encode(&salt, (const char *)k.salt, k.salt_n) && lookup_finish(q, LOOKUP_STATUS_ok) && lookup_put(&q->s->fields, &salt) &&
       lookup_answer_putu(&q->s->fields, k.iterations);
  explicit_bzero(&k, sizeof k);
  stralloc_free(&salt);
  return ok;
}

/* The verdict on a proof. */
static int judge_proof(struct ask *q, const struct scram_keys *k, int known) {
  const struct lookup_field *text = &q->r->arg[4], *proof = &q->r->arg[5];
  stralloc signature = STRALLOC_INIT;
  int right = scram_check(k, text->s, text->n, proof->s, proof->n, &signature, &q->e);
  int ok;

  if (right == -1) {
    ok = lookup_temporary(q);
  } else if (!right || !known) {
    ok = wrong(q);
  } else if (admit(q, &ok)) {
    ok = welcome(q, &signature);
  }
  stralloc_free(&signature);
  return ok;
}

int lookup_answer_scram_final(struct ask *q) {
  const struct lookup_field *name = &q->r->arg[1];
  struct scram_keys k;
  enum userdb_result r;
  int ok;

  if (!lookup_trusts(q)) return lookup_finish(q, LOOKUP_STATUS_denied);
  if (!take_service(q, 2)) return unknown_service(q);
  if (!scram_hash_find(name->s, name->n, &k.hash)) return lookup_say(q, LOOKUP_STATUS_bad, "unknown mechanism");
  r = find_keys(q, &k);
  ok = r == USERDB_TEMPFAIL ? lookup_temporary(q) : judge_proof(q, &k, r == USERDB_FOUND);
  explicit_bzero(&k, sizeof k);
  return ok;
}

int lookup_answer_session(struct ask *q) {
  enum userdb_result r;
  int ok;

  if (!lookup_trusts(q)) return lookup_finish(q, LOOKUP_STATUS_denied);
  if (!take_service(q, 1)) return unknown_service(q);
  r = login_user(q);
  if (r != USERDB_FOUND) return lookup_other(q, r);
  return admit(q, &ok) ? welcome(q, 0) : ok;
}

/* --- another password */

/* It stays as it was, for a reason the user may know. */
static int stays(struct ask *q, const char *word, const char *why) {
  return lookup_say(q, LOOKUP_STATUS_ok, word) && lookup_answer_put(&q->s->fields, why, strlen(why));
}

static int has_control(const char *s) {
  for (; *s; ++s)
    if ((unsigned char)*s < 32 || *s == 127) return 1;
  return 0;
}

/* Null, or why nobody should have it; password_hash may know more. */
static const char *fault(const struct ask *q, const char *was, const char *fresh) {
  if (strlen(fresh) < q->s->password_min) return "the new password is too short";
  if (!strcmp(was, fresh)) return "the new password is the old one";
  return has_control(fresh) ? "the new password has control characters" : 0;
}

/* A code serves for one change: FOUND, or NONE when somebody has used it meanwhile. */
static enum userdb_result use_up(struct ask *q, int64_t step) {
  return step ? userdb_totp_use(&q->s->db, q->user.name.s, q->user.domain.s, step, &q->e) : USERDB_FOUND;
}

static int store(struct ask *q, const struct proof *p, const char *fresh) {
  const struct userdb_user *u = &q->user;
  stralloc hash = STRALLOC_INIT, scram = STRALLOC_INIT;
  enum userdb_result r = USERDB_TEMPFAIL;
  int unfit = 0, spent = 0;

  q->e.permanent = 0;
  if (password_hash(q->s->scheme, fresh, &hash, &q->e) == -1) unfit = q->e.permanent;
  else if (scram_credentials(q->s->scram_mechanisms, q->s->scram_iterations, fresh, &scram, &q->e) == 0) {
    r = use_up(q, p->step);
    spent = r == USERDB_NONE;
    if (r == USERDB_FOUND) r = userdb_user_passwd(&q->s->db, u->name.s, u->domain.s, hash.s, stralloc_cstr(&scram), &q->e);
  }
  stralloc_wipe(&hash);
  stralloc_wipe(&scram);
  stralloc_free(&hash);
  stralloc_free(&scram);
  if (unfit) return stays(q, "unfit", q->e.text);
  if (spent) return wrong(q);
  return r == USERDB_FOUND ? lookup_say(q, LOOKUP_STATUS_ok, "changed") : lookup_other(q, r);
}

/* The user is who it says, by the user's own password. */
static int renew(struct ask *q, const struct proof *p, const char *fresh) {
  const char *why;

  if (q->user.flags & USER_NO_PASSWD_CHANGE) return stays(q, "barred", "the password may not be changed");
  switch (admission_judge(&q->s->db, &q->user, &services[SERVICE_PASSWD].admission, &q->s->admission, &why, &q->e)) {
    case ADMISSION_YES: break;
    case ADMISSION_NO:
    case ADMISSION_LATER: return stays(q, "barred", why);
    case ADMISSION_TEMPFAIL: return lookup_temporary(q);
  }
  why = fault(q, stralloc_cstr(&p->password), fresh);
  return why ? stays(q, "unfit", why) : store(q, p, fresh);
}

/* A password of a single program is not enough. */
static int change_password(struct ask *q, const char *was, const char *fresh) {
  enum userdb_result r = login_user(q);
  struct proof p = {STRALLOC_INIT, 0};
  int right, ok;

  if (r == USERDB_TEMPFAIL || r == USERDB_EXISTS) return lookup_temporary(q);
  right = check_proof(q, r, was, &p);
  if (right == -1) ok = lookup_temporary(q);
  else ok = right ? renew(q, &p, fresh) : wrong(q);
  forget_proof(&p);
  return ok;
}

int lookup_answer_passwd(struct ask *q) {
  stralloc was = STRALLOC_INIT, fresh = STRALLOC_INIT;
  int ok = 0;

  if (!lookup_trusts(q)) return lookup_finish(q, LOOKUP_STATUS_denied);
  q->ip = &q->r->arg[3];
  if (stralloc_copyb(&was, q->r->arg[1].s, q->r->arg[1].n) && stralloc_copyb(&fresh, q->r->arg[2].s, q->r->arg[2].n))
    ok = change_password(q, was.s, fresh.s);
  stralloc_wipe(&was);
  stralloc_wipe(&fresh);
  stralloc_free(&was);
  stralloc_free(&fresh);
  return ok;
}
