/* systpass: checks the password of an account of this host, by the checkpassword interface
 * (user/checker.h).  Installed with the group that may read the shadow file, which it gives up as
 * soon as it has read; it answers only those who may ask (user/system_account.h). */
#include <unistd.h>

#include "base/options.h"
#include "conf/conf.h"
#include "crypt/password.h"
#include "user/checker.h"
#include "user/system_account.h"

#define NAME "systpass"
#define FATAL NAME ": fatal: "
#define USAGE NAME " [-e] [program [argument ...]]"

/* What we were installed with; the caller's while it is not needed, so that no program of the chain
 * ever has it. */
struct rights {
  uid_t uid;
  gid_t gid;
  const char *mailuser;
};

static int put_down(struct rights *r, struct strerr *e) {
  r->uid = geteuid();
  r->gid = getegid();
  return setegid(getgid()) == -1 || seteuid(getuid()) == -1 ? strerr_sys(e, "unable to put down rights", (char *)0) : 0;
}

static int take_up(const struct rights *r, struct strerr *e) {
  return seteuid(r->uid) == -1 || setegid(r->gid) == -1 ? strerr_sys(e, "unable to take up rights", (char *)0) : 0;
}

/* For good, before anything is computed or run. */
static int give_up(struct strerr *e) {
  gid_t gid = getgid();
  uid_t uid = getuid();

  return setresgid(gid, gid, gid) == -1 || setresuid(uid, uid, uid) == -1 ? strerr_sys(e, "unable to give up rights", (char *)0) : 0;
}

static int is_right(const struct checker *c, const struct system_account *found, struct strerr *e) {
  if (found) return password_verify(c->password, stralloc_cstr(&found->hash), e);
  password_waste(c->password);
  return 0;
}

static enum checker_verdict judge(void *ctx, const struct checker *c, struct checker_account *a, struct strerr *e) {
  struct system_account s = {.expired = 0};
  struct strerr find;
  enum checker_verdict v = CHECK_TEMPFAIL;
  const struct rights *rights = ctx;
  int known = take_up(rights, &find) == 0 ? system_account_find(c->user, &s, &find) : -1;
  int right = 0;

  if (give_up(e) == -1) right = -1;
  else if (known == -1) *e = find, right = -1;
  else if (!system_account_may_ask(getuid(), &s, rights->mailuser)) right = strerr_set(e, "only root, the mail users and the account itself may ask me", (char *)0);
  else right = is_right(c, known ? &s : 0, e);
  if (right == 0) v = CHECK_WRONG;
  if (right == 1) {
    v = s.expired ? CHECK_BARRED : CHECK_RIGHT;
    a->uid = s.uid;
    a->gid = s.gid;
    if (!stralloc_copy(&a->user, &s.name) || !stralloc_copy(&a->home, &s.home)) {
      strerr_set(e, "out of memory", (char *)0);
      v = CHECK_TEMPFAIL;
    }
  }
  system_account_free(&s);
  return v;
}

int main(int argc, char **argv) {
  int native = 0;
  const struct option options[] = {{'e', OPTION_FLAG, &native, 1}, {0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 0, -1);
  struct rights rights;
  struct checker_program p = {.name = NAME, .judge = judge, .ctx = &rights};
  struct conf conf;
  struct strerr e;

  if (put_down(&rights, &e) == -1) strerr_die(CHECKER_TEMPORARY, FATAL, &e);
  if (conf_load(&conf, CONF_LOGIN, &e) == -1) strerr_die(CHECKER_TEMPORARY, FATAL, &e);
  rights.mailuser = conf_line(&conf, SET_mailuser);
  p.native = native || conf_flag(&conf, SET_native_checkpassword);
  return checker_main(&p, argv + i);
}
