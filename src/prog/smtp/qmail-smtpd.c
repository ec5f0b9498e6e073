/* qmail-smtpd: the SMTP server, log on descriptor 2.  The dialogue is in smtp/session.c,
 * what it speaks in smtp/verbs.def, how it judges in smtp/checks.def. */
#include <string.h>

#include "smtp/rehearsal.h"
#include "smtp/session.h"
#include "smtp/server.h"

int main(int argc, char **argv) {
  static const struct smtp_server server = {"qmail-smtpd", SPEAKS_SMTP, session_run,
                                            "421 4.3.5 this server is misconfigured, please try again later\r\n"};

  if (argc > 1 && !strcmp(argv[1], "--explain")) return rehearsal_main(argc - 1, argv + 1);
  return smtp_server_main(&server, 1, argc, argv);
}
