/* bulletin_wait: bulletins that lie in a domain's directory until their users log in (vbulletin -a).
 *
 * The file BulkMail of a Maildir has a line "NAME TIME" for each the user got, TIME being when it was
 * written: a file that was put there anew comes anew.  Needs neither database nor digests, as login programs have
 * neither. */
#ifndef USER_BULLETIN_WAIT_H
#define USER_BULLETIN_WAIT_H

#include "base/strerr.h"
#include "conf/conf.h"

#define BULLETIN_FOR_ALL ",all" /* in the name of each */

/* The directory of those of a domain with this directory: 1, or 0 (memory, or a setting that is no name). */
int bulletin_dir(const struct conf *conf, const char *domain_dir, stralloc *path) MUST_CHECK;
/* May a file of this name be one?  Null, or why not. */
const char *bulletin_name_fault(const char *name);
/* Puts what the user has not got into the Maildir, in the order of names; as its owner.  How many, or -1 with
 * e filled: those before are delivered. */
int bulletin_collect(const char *dir, const char *maildir, const char *address, struct strerr *e) MUST_CHECK;

#endif
