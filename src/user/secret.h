/* secret: where an administrator's program gets a new password from, and its hash. */
#ifndef USER_SECRET_H
#define USER_SECRET_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"

struct secret_options {
  const char *method; /* -h: name of a scheme; null: the setting hash_method */
  int crypted;        /* -e: the text is a hash already */
  uint64_t random;    /* -r: length of a password made up and printed; 0: none */
};

/* The hash to store.  arg is the password argument (in argv), "-" for a line of
 * standard input, or null: asked twice on the terminal, or a line of standard input
 * when that is no terminal.  An argument is overwritten at once, so that it does not
 * stay in the list of processes.  0, or -1 with e filled. */
int secret_hash(const struct secret_options *o, const char *setting, char *arg, stralloc *hash,
                struct strerr *e) MUST_CHECK;

#endif
