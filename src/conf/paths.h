/* paths: where things are.  Each has a compiled-in place and variables that move
 * it; the variables count only when the program has no more rights than its
 * caller (AT_SECURE).  All give 1, or 0 when memory ran out; the path replaces
 * what was in the stralloc. */
#ifndef CONF_PATHS_H
#define CONF_PATHS_H

#include "base/stralloc.h"

enum path {
  PATH_HOME,    /* $QMAILHOME */
  PATH_CONTROL, /* $CONTROLDIR, $QMAILHOME/control, SYSCONFDIR/control */
  PATH_USERS,   /* $ASSIGNDIR, $QMAILHOME/users, SYSCONFDIR/users */
  PATH_CERTS,   /* $CERTDIR, $QMAILHOME/certs, SYSCONFDIR/certs */
  PATH_TCP,     /* $TCPDIR, $QMAILHOME/tcp, SYSCONFDIR/tcp */
  PATH_ALIAS,   /* $QMAILHOME/alias */
  PATH_DOMAINS, /* $DOMAINDIR, $QMAILHOME/domains */
  PATH_QUEUES,  /* $QUEUE_BASE, $QMAILHOME/queue; control/queue_base: see queue/collection.h */
  PATH_MAIL,    /* $BASE_PATH, $QMAILHOME/mail, MAILBASE */
  PATH_RUN,     /* $INDIMAILRUN, $QMAILHOME/run, RUNDIR */
  PATH_LOG,     /* $LOGDIR, $QMAILHOME/log, LOGDIR */
  PATH_SERVICE, /* $SERVICEDIR, SERVICEDIR */
  PATH_LIBEXEC, /* $LIBEXECDIR, $QMAILHOME/libexec/indimail, PREFIX/libexec/indimail: what a program runs when it is done */
  PATHS
};

int paths_get(enum path which, stralloc *path) MUST_CHECK;
/* The directory and a name below it. */
int paths_file(enum path which, const char *name, stralloc *path) MUST_CHECK;
/* One of our own programs, by its name in src/PROGRAMS: $QMAILBIN/name, else
 * PREFIX/<its directory>/name. */
int paths_program(const char *name, stralloc *path) MUST_CHECK;

#endif
