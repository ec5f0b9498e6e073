/* server: what the programs that take mail from the network have in common: one connection on
 * descriptors 0 and 1, or with -W a resident server for connections that tcpserver hands over
 * (net/resident.h); settings, lists and rules, loaded once for those that share them. */
#ifndef SMTP_SERVER_H
#define SMTP_SERVER_H

#include "smtp/session.h"

struct smtp_server {
  const char *name;            /* of the program */
  enum session_protocol speaks;
  int (*run)(struct session *s); /* the protocol: the exit status of a process for one connection */
  const char *sorry;           /* what a client is told when the settings are bad; "" nothing */
};

/* The rest of main: options, and the arguments "hostname authprogram [argument ...]" where
 * may_login is set. */
int smtp_server_main(const struct smtp_server *which, int may_login, int argc, char **argv);

#endif
