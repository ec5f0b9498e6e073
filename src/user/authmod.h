/* authmod: what modules between a login program and a mail server share (Courier's interface).
 *
 *   imaplogin module ... imapd Maildir
 * The login program runs the first module with the words behind it; each runs the next one when it
 * cannot let the user in, and the last one starts the login program again, which says so.  Descriptor 3
 * gives at most 512 bytes of lines: service, type (login, plain, cram-..., pass), and what belongs to
 * the type: for login and plain user and password. */
#ifndef USER_AUTHMOD_H
#define USER_AUTHMOD_H

#include <stddef.h>

#include "base/strerr.h"

#define AUTHMOD_INPUT 512
#define AUTHMOD_FIELDS 5
#define AUTHMOD_MISUSE 2

struct authmod {
  char raw[AUTHMOD_INPUT + 1]; /* as it came */
  char text[AUTHMOD_INPUT + 1]; /* in pieces */
  size_t len;
  const char *field[AUTHMOD_FIELDS]; /* service, type, and what follows; "" where there is none */
  size_t fields;
};

/* Take raw[0..len] apart: 0, or AUTHMOD_MISUSE: fewer than three lines, or a NUL. */
int authmod_parse(struct authmod *m) MUST_CHECK;
/* Everything descriptor 3 has, parsed. */
int authmod_read(struct authmod *m) MUST_CHECK;
/* Is there a user with a password in field[2] and [3]? */
int authmod_has_password(const struct authmod *m);
/* argv is our own command line.  The next module gets the same bytes; behind the last one the login
 * program is started again, as it is with argc 0, when no other module is to be asked.  Returns only when that
 * failed, -1 with e filled.  m is wiped. */
int authmod_next(struct authmod *m, char **argv, int argc, struct strerr *e);
void authmod_wipe(struct authmod *m);

#endif
