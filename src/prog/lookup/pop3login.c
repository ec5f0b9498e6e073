/* pop3login: speaks POP3 until a user is logged in, then becomes the mail server. */
#include "base/options.h"
#include "base/sigfd.h"
#include "user/login_pop3.h"

#define FATAL "pop3login: fatal: "
#define USAGE "pop3login [module ...] pop3d Maildir"

int main(int argc, char **argv) {
  const struct option options[] = {{0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 2, -1);
  struct conf conf;
  struct login l;
  stralloc tag = STRALLOC_INIT;
  struct strerr e;

  if (i != 1) strerr_die_usage(USAGE);
  sig_ignore_pipe();
  if (conf_load(&conf, CONF_LOGIN, &e) == -1 ||
      login_start(&l, &login_pop3_protocol, &conf, argc, argv, &tag, &e) == -1)
    strerr_die(111, FATAL, &e);
  login_pop3(&l, stralloc_cstr(&tag));
  login_free(&l);
  return 0;
}
