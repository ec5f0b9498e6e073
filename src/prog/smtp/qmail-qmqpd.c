/* qmail-qmqpd: one message by QMQP, on descriptors 0 and 1, log on 2.  The protocol is in
 * smtp/qmqp_server.c. */
#include "smtp/qmqp_server.h"
#include "smtp/server.h"

int main(int argc, char **argv) {
  static const struct smtp_server server = {"qmail-qmqpd", SPEAKS_QMQP, qmqp_run,
                                            "62:Zthis server is misconfigured, please try again later (#4.3.5),"};

  return smtp_server_main(&server, 0, argc, argv);
}
