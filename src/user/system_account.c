/* system_account: see system_account.h. */
#include "user/system_account.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>

#include "base/now.h"
#include "user/identity.h"

#define BUFFER_FIRST 1024
#define BUFFER_MAX (1u << 20)
#define DAY 86400

int shadow_expired(const struct spwd *s, long today) {
  if (s->sp_expire >= 0 && today >= s->sp_expire) return 1;
  if (s->sp_lstchg == 0) return 1; /* to be changed at the first login */
  return s->sp_lstchg > 0 && s->sp_max >= 0 && today - s->sp_lstchg > s->sp_max;
}

/* The functions of NSS that want a buffer get a larger one until it is large enough.  1, 0, -1. */
int system_account_passwd(const char *name, struct system_account *a, struct strerr *e) {
  stralloc buf = STRALLOC_INIT;
  struct passwd pw, *found = 0;
  int r = ERANGE;

  for (size_t n = BUFFER_FIRST; r == ERANGE && n <= BUFFER_MAX; n *= 4) {
    if (!stralloc_ready(&buf, n)) r = ENOMEM;
    else r = getpwnam_r(name, &pw, buf.s, n, &found);
  }
  if (found) {
    a->uid = pw.pw_uid;
    a->gid = pw.pw_gid;
    if (!stralloc_copys(&a->name, pw.pw_name) || !stralloc_copys(&a->home, pw.pw_dir) || !stralloc_copys(&a->hash, pw.pw_passwd)) r = ENOMEM;
  }
  stralloc_free(&buf);
  if (found && r == 0) return 1;
  /* POSIX lets these mean that there is no such entry. */
  if (!found && (r == 0 || r == ENOENT || r == ESRCH)) return 0;
  errno = r;
  return strerr_sys(e, "unable to look up the account", (char *)0);
}

static int find_shadow(const char *name, struct system_account *a, struct strerr *e) {
  stralloc buf = STRALLOC_INIT;
  struct spwd sp, *found = 0;
  int r = ERANGE;

  for (size_t n = BUFFER_FIRST; r == ERANGE && n <= BUFFER_MAX; n *= 4) {
    if (!stralloc_ready(&buf, n)) r = ENOMEM;
    else r = getspnam_r(name, &sp, buf.s, n, &found);
  }
  if (found) {
    a->expired = shadow_expired(&sp, (long)(wall_now() / DAY));
    if (!stralloc_copys(&a->hash, sp.sp_pwdp)) r = ENOMEM;
  }
  stralloc_wipe(&buf);
  stralloc_free(&buf);
  if (found && r == 0) return 1;
  if (!found && (r == 0 || r == ENOENT)) return 0;
  errno = r;
  return strerr_sys(e, "unable to read the shadow file", (char *)0);
}

int system_account_find(const char *name, struct system_account *a, struct strerr *e) {
  int r = system_account_passwd(name, a, e);

  a->expired = 0;
  if (r == 1 && (r = find_shadow(name, a, e)) == 0) {
    /* The hash may stand in the password file, as it did once. */
    r = stralloc_equals(&a->hash, "x") ? strerr_set(e, "the shadow file has no entry for the account", (char *)0) : 1;
  }
  return r == 1 && a->uid == 0 ? 0 : r;
}

int system_account_may_ask(uid_t asker, const struct system_account *a, const char *mailuser) {
  const char *const trusted[] = {mailuser, "qmaild"};
  struct identity id;
  struct strerr ignored;

  if (asker == 0 || asker == a->uid) return 1;
  for (size_t i = 0; i < sizeof trusted / sizeof *trusted; ++i)
    if (identity_find(trusted[i], &id, &ignored) == 1 && id.uid == asker) return 1;
  return 0;
}

void system_account_free(struct system_account *a) {
  stralloc_free(&a->name);
  stralloc_free(&a->home);
  stralloc_wipe(&a->hash);
  stralloc_free(&a->hash);
}
