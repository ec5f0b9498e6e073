/* qmail-smtpd: the SMTP server, on descriptors 0 and 1, log on 2.  The dialogue is
 * in smtp/session.c, what it speaks in smtp/verbs.def, how it judges in
 * smtp/checks.def. */
#include <unistd.h>

#include "base/fd.h"
#include "base/options.h"
#include "base/sigfd.h"
#include "smtp/policy.h"
#include "smtp/session.h"

#define PREFIX "qmail-smtpd: "
#define USAGE "qmail-smtpd [hostname authprogram [argument ...]]"
#define SORRY "421 4.3.5 this server is misconfigured, please try again later\r\n"

static void die_settings(const struct strerr *e) {
  (void)!fd_write_all(1, SORRY, sizeof SORRY - 1);
  strerr_die(1, PREFIX, e);
}

int main(int argc, char **argv) {
  static const struct option table[] = {{0, OPTION_FLAG, 0, 0}};
  int first = options_or_die(argc, argv, table, USAGE, 0, -1);
  struct lookup lookup = LOOKUP_INIT;
  struct session s;
  struct conf conf;
  struct strerr e;
  int code;

  if (argc - first == 1) strerr_die_usage(USAGE);
  sig_ignore_pipe();
  if (conf_load(&conf, CONF_SMTPD, &e) == -1 || policy_valid(&conf, &e) == -1) die_settings(&e);
  session_init(&s, &conf);
  s.c.lookup = &lookup;
  if (argc - first > 1) s.auth = argv + first + 1;
  code = session_run(&s);
  session_free(&s);
  conf_free(&conf);
  return code;
}
