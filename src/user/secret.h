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
  const char *mechanism; /* -m: the mechanism of SCRAM there are to be credentials for; null: the settings' */
  uint64_t iterations;   /* -I: of SCRAM; 0: the setting's */
  uint64_t fd;           /* -F: descriptor the password is a line of; 0: none */
  const char *salt;      /* -S */
  int clear;             /* -C */
  const char *domain;    /* its file hash_method counts where -h and PASSWORD_HASH say nothing; null: none */
};

/* The rows of a table of options (base/options.h) for a struct secret_options. */
#define SECRET_OPTIONS(s)                                                                            \
  {'e', OPTION_FLAG, &(s).crypted, 1}, {'r', OPTION_U64, &(s).random, 255},                          \
      {'h', OPTION_STRING, &(s).method, 0}, {'m', OPTION_STRING, &(s).mechanism, 0},                 \
      {'I', OPTION_U64, &(s).iterations, 10000000}, {'F', OPTION_U64, &(s).fd, 1023},                \
      {'S', OPTION_STRING, &(s).salt, 0}, {                                                          \
    'C', OPTION_FLAG, &(s).clear, 1                                                                  \
  }
#define SECRET_USAGE "[-e] [-r n] [-h method] [-m mechanism] [-I n] [-F fd]"

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
