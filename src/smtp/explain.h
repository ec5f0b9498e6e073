/* explain: what smtp-explain(8) is made of: the real server rehearses (smtp/rehearsal.h), as
 * things are and with one thing changed, and what it says is kept and compared. */
#ifndef SMTP_EXPLAIN_H
#define SMTP_EXPLAIN_H

#include "base/stralloc.h"
#include "base/strerr.h"

/* Who sends what to whom. */
struct explain_question {
  const char *ip, *host, *helo, *sender, *recipient;
  const char *user; /* who has logged in, or null */
  int tls;
  const char *file; /* of the message, or null */
};

/* One line of a rehearsal, its fields as in smtp/rehearsal.h. */
#define EXPLAIN_FIELDS 8
struct explain_record {
  const char *field[EXPLAIN_FIELDS]; /* "" where there is none; [0] is the kind */
};
enum explain_outcome { EXPLAIN_REFUSED, EXPLAIN_ACCEPTED, EXPLAIN_DISCARDED };
struct explanation {
  stralloc text;
  struct explain_record *record;
  size_t len, a;
  enum explain_outcome outcome;
  const char *reply;                     /* the last one */
  const struct explain_record *decisive; /* the row that refused or threw away, or null */
};

/* One thing that is not as it is. */
struct explain_change {
  const char *variable; /* NAME=value, or NAME: not set; or null */
  const char *file;     /* of the control directory, with these bytes; or null */
  const stralloc *bytes;
  int logs_in, uses_tls; /* the client: 1 does, -1 does not, 0 as asked */
};

/* Rehearse.  change may be null.  0, or -1 with e filled; out, zeroed before, is to be freed in any
 * case.  Blocks as long as the checks do. */
int explain_run(const struct explain_question *q, const struct explain_change *change, struct explanation *out,
                struct strerr *e) MUST_CHECK;
void explanation_free(struct explanation *x);
const char *explain_outcome_word(enum explain_outcome outcome);
/* The set records of row, one after the other: start with the row; null at the end. */
const struct explain_record *explain_next_setting(const struct explanation *x, const struct explain_record *after);

/* Each change that makes another outcome of now, the smallest first, as told to tell: its text, where
 * it is to be made, and what would come of it.  When none alone does, helps is 0 and the one told is
 * what the first brings. 0, or -1 with e filled. */
struct explain_teller {
  void (*tell)(void *ctx, const char *what, int helps, const struct explanation *then);
  void *ctx;
};
int explain_changes(const struct explain_question *q, const struct explanation *now, const struct explain_teller *t,
                    struct strerr *e) MUST_CHECK;

#endif
