/* pop3login: speaks POP3 until a user is logged in, then becomes the mail server. */
#include "user/login_pop3.h"
#include "user/login_main.h"

int main(int argc, char **argv) {
  const struct login_program program = {
      .name = "pop3login",
      .usage = "pop3login [module ...] pop3d Maildir",
      .protocol = &login_pop3_protocol,
      .run = login_pop3,
  };

  return login_main(&program, argc, argv);
}
