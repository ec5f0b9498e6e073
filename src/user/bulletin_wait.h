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
/* The same with the one of this name, which may be any: 1 delivered, 0 there is none, or he has had it. */
int bulletin_give(const char *dir, const char *name, const char *maildir, const char *address, struct strerr *e) MUST_CHECK;
/* Is one of this name there that he has not had?  1, *since is when it was written; 0, -1. */
int bulletin_is_new(const char *dir, const char *name, const char *maildir, int64_t *since, struct strerr *e) MUST_CHECK;
/* He is not to get it: as if he had. */
int bulletin_pass(const char *dir, const char *name, const char *maildir, struct strerr *e) MUST_CHECK;
int bulletin_collect(const char *dir, const char *maildir, const char *address, struct strerr *e) MUST_CHECK;

#endif
