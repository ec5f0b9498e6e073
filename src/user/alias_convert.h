/* alias_convert: the mains of vcalias and vcaliasrev.sh, which differ in a row. */
#ifndef USER_ALIAS_CONVERT_H
#define USER_ALIAS_CONVERT_H

#include "user/alias_files.h"

struct alias_convert {
  const char *name; /* of the program */
  int (*run)(struct site *s, const char *domain, int remove, alias_files_fn told, void *ctx, struct strerr *e);
};
/* Its exit code; does not return where it could not be done. */
int alias_convert_main(const struct alias_convert *p, int argc, char **argv) MUST_CHECK;

#endif
