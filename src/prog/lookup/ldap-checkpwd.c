/* ldap-checkpwd: checks a password with a directory (user/ldap_login.h), by the checkpassword
 * interface (user/checker.h). */
#include "base/options.h"
#include "conf/conf.h"
#include "user/ldap_login.h"

#define NAME "ldap-checkpwd"
#define FATAL NAME ": fatal: "
#define USAGE NAME " [-e] [program [argument ...]]"

struct setup {
  struct conf conf;
  int native;
};

static enum checker_verdict judge(void *ctx, const struct checker *c, struct checker_account *a, struct strerr *e) {
  const struct setup *s = ctx;
  int has_ids;
  enum checker_verdict v = ldap_login(&s->conf, c->user, c->password, a, &has_ids, e);

  if (v == CHECK_RIGHT && s->native && !has_ids) {
    strerr_set(e, "the entry of the LDAP directory has no ids or no home: no program can be run for it", (char *)0);
    v = CHECK_TEMPFAIL;
  }
  return v;
}

int main(int argc, char **argv) {
  struct setup s = {.native = 0};
  const struct option options[] = {{'e', OPTION_FLAG, &s.native, 1}, {0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 0, -1);
  struct checker_program p = {.name = NAME, .judge = judge, .ctx = &s};
  struct strerr e;

  if (conf_load(&s.conf, CONF_LOGIN | CONF_LDAP, &e) == -1) strerr_die(CHECKER_TEMPORARY, FATAL, &e);
  s.native |= conf_flag(&s.conf, SET_native_checkpassword);
  p.native = s.native;
  return checker_main(&p, argv + i);
}
