/* imaplogin: speaks IMAP until a user is logged in, then becomes the mail server. */
#include "user/login_imap.h"
#include "user/login_main.h"

int main(int argc, char **argv) {
  const struct login_program program = {
      .name = "imaplogin",
      .usage = "imaplogin [module ...] imapd Maildir",
      .protocol = &login_imap_protocol,
      .run = login_imap,
  };

  return login_main(&program, argc, argv);
}
