/* dotqmail: finds the .qmail file that speaks for an address. */
#ifndef LOCAL_DOTQMAIL_H
#define LOCAL_DOTQMAIL_H

#include "base/stralloc.h"
#include "base/strerr.h"

enum dotqmail { DOTQMAIL_FOUND, DOTQMAIL_NONE, DOTQMAIL_TEMP };

struct dotqmail_file {
  stralloc name;     /* ".qmail-list-default" */
  stralloc text;     /* its bytes */
  stralloc matched;  /* what -default stood for; DEFAULT */
  int is_default;
  int forward_only;  /* mode has x for the owner */
};

/* In the current directory: .qmail + dash + ext (lower case, dots as colons), then
 * .qmail + dash + prefix- + default for ever shorter prefixes.  A file that others
 * may write, or that is no plain file, is DOTQMAIL_TEMP with e filled. */
enum dotqmail dotqmail_find(const char *dash, const char *ext, struct dotqmail_file *f,
                            struct strerr *e);
/* Is there a file .qmail + dash + ext + suffix?  1, 0, or -1 with e filled. */
int dotqmail_exists(const char *dash, const char *ext, const char *suffix, struct strerr *e);
void dotqmail_free(struct dotqmail_file *f);

#endif
