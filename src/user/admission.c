/* admission: see admission.h. */
#include "user/admission.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/now.h"
#include "conf/paths.h"
#include "user/limits.h"

/* 1 when the file is there, 0, or -1. */
static int exists(const char *path, struct strerr *e) {
  if (access(path, F_OK) == 0) return 1;
  if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG) return 0;
  return strerr_sys(e, "unable to find ", path, (char *)0);
}

/* control/GROUP/SERVICE/nologin: the group is a domain, or what users have in common in their gecos
 * field, which may be anything and is looked for only if it can be a file's name. */
static int closed_for(const char *group, const char *service, struct strerr *e) {
  stralloc name = STRALLOC_INIT, path = STRALLOC_INIT;
  int r = 0;

  if (!*group || *group == '.' || strchr(group, '/')) return 0;
  if (stralloc_catm(&name, group, "/", service, "/nologin", (char *)0) && paths_file(PATH_CONTROL, name.s, &path)) r = exists(path.s, e);
  else r = strerr_set(e, "out of memory", (char *)0);
  stralloc_free(&name);
  stralloc_free(&path);
  return r;
}

static int is_closed(const struct userdb_user *u, const char *service, struct strerr *e) {
  int r = closed_for(u->domain.s, service, e);

  return r ? r : closed_for(stralloc_cstr(&u->gecos), service, e);
}

/* Do limits hold in the user's domain? */
static int limits_hold(struct userdb *db, const char *domain, struct strerr *e) {
  struct userdb_domain d = {.uid = 0};
  stralloc path = STRALLOC_INIT;
  int r = -1;

  if (userdb_domain_get(db, domain, &d, e) == USERDB_FOUND) {
    if (stralloc_catm(&path, d.dir.s, "/" LIMITS_FILE, (char *)0)) r = exists(path.s, e);
    else r = strerr_set(e, "out of memory", (char *)0);
  }
  userdb_domain_free(&d);
  stralloc_free(&path);
  return r;
}

static int is_over(int64_t when) {
  return when >= 0 && when < wall_now();
}

/* Null when nothing has run out, and what the limits switch off is off for u; *failed when that could not be found out. */
static const char *expired(struct userdb *db, struct userdb_user *u, int everywhere, int *failed, struct strerr *e) {
  struct limits l;
  int hold = u->flags & USER_OVERRIDE_LIMITS ? 0 : everywhere ? 1 : limits_hold(db, u->domain.s, e);
  enum userdb_result r = hold == 1 ? limits_read(db, u->domain.s, u->name.s, &l, e) : USERDB_NONE;

  *failed = hold == -1 || (hold == 1 && r != USERDB_FOUND && r != USERDB_NONE);
  if (*failed || r != USERDB_FOUND) return 0;
  u->flags |= limits_flags(&l);
  if (is_over(l.v[LIMIT_DOMAIN_EXPIRY])) return "the domain has expired";
  return is_over(l.v[LIMIT_PASSWD_EXPIRY]) ? "the password has expired" : 0;
}

struct last {
  const char *service;
  int64_t at;
};

static int note_last(void *ctx, const char *service, const char *ip, int64_t at) {
  struct last *l = ctx;

  (void)ip;
  if (!strcmp(service, l->service)) l->at = at;
  return 0;
}

/* 1 when the last login was not long enough ago. */
static int is_too_soon(struct userdb *db, const struct userdb_user *u, const char *record, uint64_t interval, struct strerr *e) {
  struct last last = {record, 0};
  enum userdb_result r;

  if (!interval || !record) return 0;
  r = userdb_lastauth_each(db, u->name.s, u->domain.s, note_last, &last, e);
  if (r != USERDB_FOUND && r != USERDB_NONE) return -1;
  return last.at > wall_now() - (int64_t)interval && last.at <= wall_now();
}

enum admission admission_judge(struct userdb *db, struct userdb_user *u, const struct admission_service *s,
                               const struct admission_rules *rules, const char **why, struct strerr *e) {
  int closed, soon, failed;

  *why = "this service is switched off for the user";
  if (u->flags & s->refused) return ADMISSION_NO;
  *why = "the user is not active";
  if (!u->active && !s->inactive) return ADMISSION_NO;
  closed = is_closed(u, s->name, e);
  *why = "logins are closed";
  if (closed) return closed == -1 ? ADMISSION_TEMPFAIL : ADMISSION_NO;
  *why = expired(db, u, rules->limits_everywhere, &failed, e);
  if (*why || failed) return failed ? ADMISSION_TEMPFAIL : ADMISSION_NO;
  *why = "this service is switched off for the domain";
  if (u->flags & s->refused) return ADMISSION_NO;
  soon = is_too_soon(db, u, s->often ? 0 : s->record, rules->login_interval, e);
  *why = "the last login was too short a time ago";
  return soon == -1 ? ADMISSION_TEMPFAIL : soon ? ADMISSION_LATER : ADMISSION_YES;
}
