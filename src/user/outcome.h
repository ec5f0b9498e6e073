/* outcome: how an administrator's program ends when the user database answers otherwise than it was asked
 * for.  For mains: what it does not return from ends the process. */
#ifndef USER_OUTCOME_H
#define USER_OUTCOME_H

#include "user/userdb.h"

struct outcome_words {
  const char *fatal; /* in front: "valias: fatal: " */
  int code;          /* exit code of the two below */
  const char *none, *exists;
};
/* Returns for FOUND only. */
void outcome_want(enum userdb_result r, const struct outcome_words *w, const struct strerr *e);

#endif
