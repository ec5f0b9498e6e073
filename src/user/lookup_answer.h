/* lookup_answer: what inlookup answers, apart from sockets and processes: one request
 * in, one answer out.  It judges what the asker may know, asks the database, and puts
 * the outcome in words; whatever the database could not say is "temporary". */
#ifndef USER_LOOKUP_ANSWER_H
#define USER_LOOKUP_ANSWER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/now.h"
#include "base/stralloc.h"
#include "crypt/password.h"
#include "user/admission.h"
#include "user/answer_cache.h"
#include "user/login_record.h"
#include "user/lookup_proto.h"
#include "user/throttle.h"
#include "user/userdb.h"

#define LOOKUP_TRUSTED_MAX 8
#define LOOKUP_NOBODY ((uid_t)-1) /* asker of whom nothing is known: the FIFO */

/* Shared by all workers, so each is changed atomically. */
struct lookup_counters {
  struct throttle throttle;
  uint64_t op[LOOKUP_OPS];
  uint64_t status[LOOKUP_STATUSES];
  uint64_t kept; /* of the temporary ones: answered from what was known */
};

struct lookup_service {
  struct userdb db;
  const struct userdb_place *place;
  unsigned failed;  /* attempts to open it, in a row */
  deadline again;   /* no other one before */
  const char *default_domain; /* of a login name without one, "" none */
  const char *scram_mechanisms; /* credentials are made of at a login, for users without */
  uint64_t scram_iterations;
  int plus;               /* user+anything is user's, where there is no such name */
  int open_smtp;          /* who logs in to read mail may send it from there */
  uint64_t relay_seconds; /* so long */
  int no_lastauth;        /* logins are not recorded */
  struct admission_rules admission;
  uint64_t password_min; /* characters of a password a user chooses */
  enum password_scheme scheme; /* weaker hashes are made anew at a login */
  struct lookup_counters *counters;
  uid_t trusted[LOOKUP_TRUSTED_MAX]; /* may ask everything */
  size_t trusted_n;
  uid_t delivery[LOOKUP_TRUSTED_MAX]; /* may ask for accounts and aliases too */
  size_t delivery_n;
  struct answer_cache cache; /* answers of rows KEPT, this worker's */
  int64_t stale_seconds;     /* so long they are given while the database is away */
  struct login_records records; /* not written yet */
  stralloc fields, question; /* scratch */
};

/* Answers one whole message from a process of this uid; appends the answer to out.
 * reply gets the name of the reply FIFO the request gave, or stays empty; wait the milliseconds
 * the answer is to wait (user/throttle.h).  1, or 0 when memory ran out. */
int lookup_answer(struct lookup_service *s, const char *msg, size_t n, uid_t asker, stralloc *out,
                  struct lookup_field *reply, unsigned *wait) MUST_CHECK;
/* The requests until lookup_service_round_over came together: they may see one state of the database (sql_round). */
void lookup_service_round(struct lookup_service *s);
void lookup_service_round_over(struct lookup_service *s);
/* Is there something left that lookup_service_later would write?  It does, as far as the database lets it, and
 * waits for nobody. */
int lookup_service_behind(const struct lookup_service *s);
void lookup_service_later(struct lookup_service *s);
/* Close the database; the next request opens it again. */
void lookup_service_flush(struct lookup_service *s);
/* The same, and forget what was kept: an administrator says that all is different now. */
void lookup_service_forget(struct lookup_service *s);
void lookup_service_free(struct lookup_service *s);

#endif
