/* vsetpass: gives a virtual user who knows the password another one.  Descriptor 3 has both
 * (user/checker.h); inlookup makes the change. */
#include <string.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/options.h"
#include "conf/conf.h"
#include "user/checker.h"
#include "user/lookup.h"
#include "user/post_handle.h"

#define NAME "vsetpass"
#define FATAL NAME ": fatal: "
#define USAGE NAME " [program [argument ...]]"

#define CHANGE_SECONDS 30

/* Why it was refused, for the user: a line of standard output. */
static int refuse(stralloc *why) {
  if (!stralloc_append(why, '\n') || fd_write_all(1, why->s, why->len) == -1) return CHECKER_REFUSED;
  return CHECKER_REFUSED;
}

static int change(struct checker *c, char **argv, const char *mailuser) {
  const char *ip = env_get("TCPREMOTEIP");
  struct lookup lookup = LOOKUP_INIT;
  stralloc why = STRALLOC_INIT, user = STRALLOC_INIT;
  struct identity mail;
  struct strerr e;
  enum lookup_verdict v = LOOKUP_NONE;

  if (!*c->response && *c->user && *c->password && *c->fresh)
    v = lookup_passwd(&lookup, c->user, c->password, c->fresh, ip ? ip : "", deadline_in(CHANGE_SECONDS), &why, &e);
  lookup_close(&lookup);
  if (v == LOOKUP_NONE) return checker_next(NAME, c, argv);
  if (!stralloc_copys(&user, c->user)) strerr_die_nomem(FATAL);
  checker_wipe(c);
  if (v == LOOKUP_TEMPFAIL) strerr_die(CHECKER_TEMPORARY, NAME ": ", &e);
  if (why.len) return refuse(&why);
  if (identity_mail(mailuser, &mail, &e) == -1) {
    strerr_warn(NAME ": changed, but the program after it is not run: ", &e);
    return 0;
  }
  /* Changed is changed, whatever becomes of that program. */
  (void)post_handle_finish(NAME ": ", &(struct post_handle){NAME, (char *[]){user.s, 0}, &mail, 0});
  return 0;
}

int main(int argc, char **argv) {
  const struct option options[] = {{0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 0, -1);
  struct checker c;
  struct conf conf;
  struct strerr e;
  int code;

  if (conf_load(&conf, CONF_LOGIN, &e) == -1) strerr_die(CHECKER_TEMPORARY, FATAL, &e);
  code = checker_read(&c, checker_parse_change);
  if (code == 0) code = change(&c, argv + i, conf_line(&conf, SET_mailuser));
  checker_wipe(&c);
  return code;
}
