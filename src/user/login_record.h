/* login_record: what logins leave in the user database and could not be written at once, because somebody else
 * writes: kept in memory, within bounds, and tried again.  A login never waits for it; what a worker holds when it
 * is killed is lost. */
#ifndef USER_LOGIN_RECORD_H
#define USER_LOGIN_RECORD_H

#include <stddef.h>

#include "user/userdb.h"

#define LOGIN_RECORDS_MAX 1000 /* the oldest gives way */
#define LOGIN_RECORDS_SECONDS 600 /* older ones are dropped */

struct login_event {
  const char *name, *domain; /* the user */
  const char *service;       /* in lastauth; null: the address may send mail from now on (relay) */
  const char *ip;
  int64_t at;         /* when it was */
  int64_t not_within; /* as userdb_lastauth_set */
};

struct login_records {
  struct login_record *record; /* the oldest first; null before the first */
  size_t n;
};

/* Writes it, or keeps it for later; without memory it is lost. */
void login_record(struct login_records *l, struct userdb *db, const struct login_event *event);
/* Writes what is kept, until something has to wait again; what the database refuses, as of a user who is no more, is
 * dropped. */
void login_records_write(struct login_records *l, struct userdb *db, int64_t now);
void login_records_free(struct login_records *l);

#endif
