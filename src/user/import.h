/* import: takes over the users of another installation: the database of an IndiMail before this one, on
 * its MySQL server, or the domains of vpopmail with their files vpasswd.
 *
 * All rows are taken in one transaction, so that whatever cuts it short leaves our database as it was, and
 * it can be done again: what is there already stays as it is.  Nothing is written to the old database, and
 * mail stays in the directories where it is.  A row that cannot be taken, or not as it was, is told. */
#ifndef USER_IMPORT_H
#define USER_IMPORT_H

#include "base/progress.h"
#include "user/import_value.h"
#include "user/site.h"

struct import_count {
  uint64_t taken, there, left; /* there: before, the same; left: not taken, and told */
};

struct import {
  int dry;             /* take it all back in the end */
  int rows_only;       /* leave .qmail-default, users/assign and the control files alone */
  int clear;           /* a password that is no hash is the password itself */
  int verbose;         /* tell of each mailbox that is not there yet, and what was mended */
  enum import_numbering numbering;
  const char *assign;  /* users/assign of the other installation; null: ours */
  const char *headers; /* file headerlist of the filters' headers; null: the usual list */
  struct progress *progress;
  /* row: what it is of; left: it was not taken, else it was, but not quite as it stood. */
  void (*told)(void *ctx, const char *table, const char *row, const char *finding, int left);
  void (*counted)(void *ctx, const char *table, const struct import_count *count);
  void *ctx;
  uint64_t left;            /* filled: rows that were not taken, of all tables, and domains without their files */
  uint64_t homes, homeless; /* mailboxes that are there, and that are not (yet) */
};

/* where: as the driver wants it (sql/sql.h), of userdb_place_old.  0, or -1 with e filled (permanent:
 * somebody has to say more, or there is nothing to take). */
int import_mysql(struct site *s, struct import *im, const char *where, struct strerr *e) MUST_CHECK;
/* Of the domains in im->assign. */
int import_tree(struct site *s, struct import *im, struct strerr *e) MUST_CHECK;

#endif
