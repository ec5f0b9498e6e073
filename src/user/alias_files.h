/* alias_files: .qmail-NAME files of a virtual domain and aliases of the user database, each made
 * of the other (vcalias, vcaliasrev.sh).  The file counts as long as it is there: qmail-local looks
 * for it before it comes to .qmail-default and vdelivermail.  So whichever way, there is no moment
 * in which mail goes nowhere or twice, and a program killed at any step is simply run again.
 *
 * Not everything one can say the other can too.  What cannot be said in the same sense is left as
 * it is, and the caller is told why. */
#ifndef USER_ALIAS_FILES_H
#define USER_ALIAS_FILES_H

#include "base/strlist.h"
#include "user/site.h"

#define ALIAS_FILE_MAX 65536

/* name: of the file, or the alias; why: null when it was converted. */
typedef void (*alias_files_fn)(void *ctx, const char *name, const char *why);

/* remove: what was converted is removed where it came from.  0, or -1 with e filled (permanent:
 * no such domain).  The database is opened here; the caller is himself again afterwards. */
int alias_files_import(struct site *s, const char *domain, int remove, alias_files_fn told, void *ctx, struct strerr *e) MUST_CHECK;
int alias_files_export(struct site *s, const char *domain, int remove, alias_files_fn told, void *ctx, struct strerr *e) MUST_CHECK;
/* The same as import, of a real domain, within a transaction of the caller's, who is the mail user and
 * holds the lock of site_lock; there: how many of the aliases were there already.  Without a directory
 * there are none.  0 or -1. */
int alias_files_take(struct site *s, const char *domain, alias_files_fn told, void *ctx, uint64_t *there, struct strerr *e) MUST_CHECK;

/* The codec.  The text of a .qmail file in directory dir as lines of an alias: 1, 0 with *why where
 * it has a line that an alias cannot have, -1 no memory. */
int alias_lines_parse(const char *text, size_t n, const char *dir, struct strlist *lines, const char **why) MUST_CHECK;
/* The lines as the text of a .qmail file: 1, or 0 no memory. */
int alias_lines_format(const struct strlist *lines, stralloc *text) MUST_CHECK;

#endif
