/* qmail-lmtpd: the LMTP server (RFC 2033), log on descriptor 2: qmail-smtpd but for
 * LHLO, and an answer for each recipient at a message's end. */
#include "smtp/session.h"
#include "smtp/server.h"

int main(int argc, char **argv) {
  static const struct smtp_server server = {"qmail-lmtpd", SPEAKS_LMTP, session_run,
                                            "421 4.3.5 this server is misconfigured, please try again later\r\n"};

  return smtp_server_main(&server, 1, argc, argv);
}
