/* qmail-qmtpd: the QMTP server, log on descriptor 2.  The protocol is in smtp/qmtp.c, how
 * it judges in smtp/checks.def. */
#include "smtp/qmtp.h"
#include "smtp/server.h"

int main(int argc, char **argv) {
  static const struct smtp_server server = {"qmail-qmtpd", SPEAKS_QMTP, qmtp_run,
                                            ""};

  return smtp_server_main(&server, 0, argc, argv);
}
