/* secret: where an administrator's program gets a new password from, and what
 * is stored of it. */
#ifndef USER_SECRET_H
#define USER_SECRET_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"
#include "conf/conf.h"

struct secret_options {
  const char *method; /* -h: name of a scheme; null: the setting hash_method */
  int crypted;        /* -e: the text is a hash already */
  uint64_t random;    /* -r: length of a password made up and printed; 0: none */
};

/* What is stored of a password; a zeroed struct is empty. */
struct secret {
  stralloc hash;
  stralloc scram; /* crypt/scram.h; "" where the password itself is not known (-e) */
};

/* arg is the password argument (in argv), "-" for a line of standard input, or null: asked
 * twice on the terminal, or a line of standard input when that is no terminal.  An argument
 * is overwritten at once, so that it does not stay in the list of processes.  conf has the
 * settings of CONF_USER.  0, or -1 with e filled. */
int secret_make(const struct secret_options *o, const struct conf *conf, char *arg, struct secret *out,
                struct strerr *e) MUST_CHECK;
void secret_free(struct secret *s);

#endif
