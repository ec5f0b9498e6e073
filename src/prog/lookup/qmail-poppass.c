/* qmail-poppass: lets users change their passwords, by the poppassd protocol. */
#include <string.h>

#include "base/options.h"
#include "base/sigfd.h"
#include "base/words.h"
#include "user/poppass.h"

#define FATAL "qmail-poppass: fatal: "
#define USAGE "qmail-poppass host program [argument ...]"
#define WORDS 32

int main(int argc, char **argv) {
  const struct option options[] = {{0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 2, -1);
  char *change[WORDS + 1];
  struct poppass p = {.host = argv[i], .check = argv + i + 1, .change = change};
  stralloc command = STRALLOC_INIT, tag = STRALLOC_INIT;
  struct conf conf;
  struct login l;
  struct strerr e;
  int code;

  sig_ignore_pipe();
  if (conf_load(&conf, CONF_LOGIN, &e) == -1) strerr_die(1, FATAL, &e);
  if (!stralloc_copys(&command, conf_line(&conf, SET_password_command))) strerr_die_nomem(FATAL);
  if (!words_split(command.s, change, WORDS)) strerr_diem(1, FATAL, "PASSWORD_COMMAND is no command", (char *)0);
  if (login_start(&l, "qmail-poppass", &poppass_protocol, &conf, argc, argv, &tag, &e) == -1) strerr_die(1, FATAL, &e);
  code = poppass_serve(&l, &p);
  login_free(&l);
  return code;
}
