/* rights: what a server keeps in its sandbox (conf/sandbox.h), beyond the places of sandbox.def.
 *
 * Programs.  Those of ours that a session needs (which plugins one of them loads it finds by its
 * variables); the authentication program, as the command line has it; and what the administrator names: spfprogram, oauthprogram, the programs of control/recipients, and
 * $QMAILQUEUE.  All are started by a process outside of the sandbox (net/starter.h), which believes
 * nothing of a session that may have been broken into: a command is word for word what the
 * administrator wrote, and so is each variable that goes with it, but for those of the session.
 * What he wrote is in the environment of the service, in control files, in rules of sender,
 * recipient or login (mail/envrules.h), in control/domainqueue, and in tcpserver's rules, which a server that stays finds by
 * $TCPRULES.
 *
 * Files.  What such a variable or control file names outside of the control directory. */
#ifndef SMTP_RIGHTS_H
#define SMTP_RIGHTS_H

#include "base/spawn.h"
#include "base/strerr.h"
#include "base/strlist.h"
#include "conf/conf.h"

struct rights {
  char *const *auth;        /* the authentication program and its arguments; null: none */
  struct strlist variables; /* NAME=value, those found so far: sorted */
  struct strlist commands;  /* the same of commands in settings */
};

/* For starter_begin: 1, or 0 with e filled.  What is not known is looked for anew, so that a
 * changed file counts at once. */
int rights_may_start(void *rights, const struct spawn *s, struct strerr *e);
/* Directories that are read: of the absolute paths that settings name (conf: as they are; null: they cannot
 * be read), of what control files are links to, and the one above the control directory: 0, or -1 with e filled. */
int rights_files(struct strlist *paths, const struct conf *conf, struct strerr *e) MUST_CHECK;
void rights_free(struct rights *r);

#endif
