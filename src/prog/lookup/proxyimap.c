/* proxyimap: speaks IMAP until a user gives a password,
 * logs in with it where the mailboxes are, and copies. */
#include "user/login_imap.h"
#include "user/login_main.h"

int main(int argc, char **argv) {
  const struct login_program program = {
      .name = "proxyimap",
      .usage = "proxyimap imapd Maildir",
      .protocol = &login_imap_protocol,
      .run = login_imap,
      .proxy = 1,
  };

  return login_main(&program, argc, argv);
}
