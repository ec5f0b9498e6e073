/* vacation: a virtual user's vacation reply: the text HOME/.vacation.msg, a line of HOME/.qmail
 * that runs autoresponder with it, and HOME/.vacation.dir, where that notes whom it has answered. */
#ifndef USER_VACATION_H
#define USER_VACATION_H

#include "base/strlist.h"
#include "user/site.h"

#define VACATION_MESSAGE "/.vacation.msg"
#define VACATION_ANSWERED "/.vacation.dir"
#define VACATION_TEXT_MAX 1048576

/* The user answers with this text from now on, to everybody anew; text null: no longer.  charset
 * null: UTF-8.  The other lines of .qmail stay.  The database is opened here; the caller is himself
 * again afterwards.  0, or -1 with e filled (permanent: no such user, one whose mail does not come
 * to .qmail, a text that is none, limits of the domain). */
int vacation_set(struct site *s, const struct address *a, const stralloc *text, const char *charset, struct strerr *e) MUST_CHECK;

/* What an administrator says on a command line: "-" no longer, which is 0; "+" the text on standard input, else
 * that of a file, which is 1; -1. */
int vacation_read(const char *file, stralloc *text, struct strerr *e) MUST_CHECK;

/* The codec of .qmail: what text (null: there is no file) becomes with the line, or without it when
 * program is null.  1 with out filled, 0 the file goes, -1 no memory. */
int vacation_edit(const stralloc *text, const char *home, const char *program, const char *charset, stralloc *out) MUST_CHECK;
/* A name of a character set, as it may stand in a Content-Type? */
int vacation_charset_ok(const char *charset);

#endif
