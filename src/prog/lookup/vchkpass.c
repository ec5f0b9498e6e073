/* vchkpass: checks the password of a virtual user, by the checkpassword interface
 * (user/checker.h).  inlookup is asked; the database is not opened. */
#include "base/env.h"
#include "base/options.h"
#include "conf/conf.h"
#include "user/checker.h"
#include "user/lookup.h"
#include "user/userdb.h"

#define FATAL "vchkpass: fatal: "
#define USAGE "vchkpass [program [argument ...]]"

#define VERIFY_SECONDS 20

static enum checker_verdict judge(void *ctx, const struct checker *c, struct checker_account *account, struct strerr *e) {
  const struct conf *conf = ctx;
  const char *ip = env_get("TCPREMOTEIP");
  struct lookup lookup = LOOKUP_INIT;
  struct lookup_account a = {.inactive = 0};
  enum lookup_verdict v;
  int ok = 1;

  lookup.here = env_get("TCPLOCALIP");
  v = lookup_verify(&lookup, c->user, c->password, conf_line(conf, SET_authservice), ip ? ip : "", deadline_in(VERIFY_SECONDS), &a, e);
  lookup_close(&lookup);
  if (v == LOOKUP_FOUND) {
    account->uid = a.uid;
    account->gid = a.gid;
    account->no_relay = !!(a.flags & USER_NO_RELAY);
    ok = stralloc_copy(&account->home, &a.home) && stralloc_catm(&account->user, stralloc_cstr(&a.user), "@", stralloc_cstr(&a.domain), (char *)0);
    if (!ok) strerr_set(e, "out of memory", (char *)0);
  }
  lookup_account_free(&a);
  /* Right, but it may not come in: nobody else is asked. */
  if (v == LOOKUP_NONE && *e->text) return CHECK_BARRED;
  return v == LOOKUP_NONE ? CHECK_WRONG : v == LOOKUP_FOUND && ok ? CHECK_RIGHT : CHECK_TEMPFAIL;
}

int main(int argc, char **argv) {
  const struct option options[] = {{0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 0, -1);
  struct checker_program p = {.name = "vchkpass", .judge = judge};
  struct conf conf;
  struct strerr e;

  if (conf_load(&conf, CONF_LOGIN, &e) == -1) strerr_die(CHECKER_TEMPORARY, FATAL, &e);
  p.ctx = &conf;
  p.native = conf_flag(&conf, SET_native_checkpassword);
  p.postauth = conf_line(&conf, SET_postauth);
  return checker_main(&p, argv + i);
}
