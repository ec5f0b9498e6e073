/* qmail-qmqpd: one message by QMQP, on descriptors 0 and 1, log on 2.  The protocol is in
 * smtp/qmqp_server.c. */
#include "base/fd.h"
#include "base/options.h"
#include "base/sigfd.h"
#include "conf/conf.h"
#include "smtp/qmqp_server.h"

#define PREFIX "qmail-qmqpd: "
#define SORRY "62:Zthis server is misconfigured, please try again later (#4.3.5),"

int main(int argc, char **argv) {
  const struct option table[] = {{0, OPTION_FLAG, 0, 0}};
  const struct env env = {.inherit = 1};
  struct conf conf;
  struct strerr e;
  int code;

  options_or_die(argc, argv, table, "qmail-qmqpd", 0, 0);
  sig_ignore_pipe();
  if (conf_load(&conf, CONF_SMTPD, &e) == -1) {
    (void)!fd_write_all(1, SORRY, sizeof SORRY - 1);
    strerr_die(111, PREFIX, &e);
  }
  code = qmqp_serve(&(struct qmqp_place){0, 1, &conf, &env}, &e) == 0 ? 0 : 111;
  conf_free(&conf);
  return code;
}
