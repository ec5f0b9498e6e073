/* import_part: what the files of import share among themselves. */
#ifndef USER_IMPORT_PART_H
#define USER_IMPORT_PART_H

#include "base/strlist.h"
#include "crypt/password.h"
#include "user/import.h"

struct import_domain {
  stralloc name, dir, base;
  stralloc real; /* "": it is a domain, else another name of this one */
  uint32_t uid, gid;
};

/* An import under way. */
struct import_work {
  struct site *s;
  struct import *im;
  struct import_domain *domain; /* those of users/assign, in its order */
  size_t domains;
  struct strlist homes; /* of users who are in our database as in the other */
  enum password_scheme scheme; /* of passwords that were none */
  struct import_count count;   /* of the table that is taken */
};

enum import_outcome { IMPORT_TAKEN, IMPORT_THERE, IMPORT_LEFT, IMPORT_FAILED };

/* Finds the domains, opens our database, begins, takes the domains, calls fill, and ends: with the files
 * of the domains where they are wanted.  fill is called as the mail user. */
typedef int (*import_fill_fn)(struct import_work *w, void *ctx, struct strerr *e);
int import_run(struct site *s, struct import *im, import_fill_fn fill, void *ctx, struct strerr *e) MUST_CHECK;

int import_no_memory(struct strerr *e);
void import_tell(struct import_work *w, const char *table, const char *row, const char *finding, int left);
/* Tells that a row is not taken: IMPORT_LEFT. */
enum import_outcome import_left(struct import_work *w, const char *table, const char *row, const char *why);
/* Counts it: 0, or -1 for IMPORT_FAILED. */
int import_count_row(struct import_work *w, enum import_outcome o);
void import_count_done(struct import_work *w, const char *table);
/* Of an insertion, where nothing else can have been in its way. */
enum import_outcome import_outcome(enum sql_verdict v);
/* Do we have it now?  1, 0, -1. */
int import_has_domain(struct import_work *w, const char *domain, struct strerr *e) MUST_CHECK;
int import_has_user(struct import_work *w, const char *name, const char *domain, struct strerr *e) MUST_CHECK;
/* Another name of a domain. */
enum import_outcome import_alias_domain(struct import_work *w, const char *alias, const char *domain, struct strerr *e);

/* One user, whose texts are UTF-8 as they stood; they are made fit. */
struct import_user {
  stralloc name, domain, hash, scram, gecos, home;
  struct quota quota;
  uint32_t flags;
  int active;
  int64_t at; /* when it was changed; 0: not known */
};
enum import_outcome import_user_take(struct import_work *w, const char *table, struct import_user *u, struct strerr *e);
void import_user_free(struct import_user *u);

#endif
