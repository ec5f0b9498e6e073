/* proxypop3: speaks POP3 until a user gives a password,
 * logs in with it where the mailboxes are, and copies. */
#include "user/login_pop3.h"
#include "user/login_main.h"

int main(int argc, char **argv) {
  const struct login_program program = {
      .name = "proxypop3",
      .usage = "proxypop3 pop3d Maildir",
      .protocol = &login_pop3_protocol,
      .run = login_pop3,
      .proxy = 1,
  };

  return login_main(&program, argc, argv);
}
