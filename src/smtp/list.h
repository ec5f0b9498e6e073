/* list: the lists of lists.def, as they are: plain files, databases beside them, or both.
 *
 * A plain list is read and made ready once (mail/addrset.h), and again when a file of it has
 * changed; snapshots of settings that name the same file share it.  A database stays
 * mapped, and is looked at for each question.  What the plain list says counts more: a ! there
 * takes back what the database holds.  A list that is not there costs nothing. */
#ifndef SMTP_LIST_H
#define SMTP_LIST_H

#include <stddef.h>

#include "base/strerr.h"
#include "conf/conf.h"
#include "user/lookup.h"

enum list_id {
#define ADDRESS_LIST(id, setting, patterns, subject, meaning) LIST_##id,
#include "smtp/lists.def"
#undef ADDRESS_LIST
  LISTS
};

struct list;

/* What has been read.  Zeroed before first use; outlives every struct lists made with it. */
struct list_cache {
  struct list *first;
};
void list_cache_free(struct list_cache *c);

/* The lists of one snapshot of settings. */
struct lists {
  struct list *of[LISTS];      /* null: there is none */
  unsigned char in_sql[LISTS]; /* the user database holds lines of it too */
  uint64_t timeout;            /* seconds, for an answer of inlookup */
};
/* 0, or -1 with e filled (lists_close does no harm then). */
int lists_open(struct lists *l, struct list_cache *c, const struct conf *conf, struct strerr *e) MUST_CHECK;
void lists_close(struct lists *l);

enum list_verdict {
  LIST_NO,
  LIST_YES,
  LIST_FAILED, /* e filled: not known */
};
/* Is it listed?  The null sender is <>.  users: inlookup, asked for what the user database holds when
 * the files say nothing; null: that is not asked. */
enum list_verdict list_match(const struct lists *l, enum list_id id, const char *subject, size_t n, struct lookup *users,
                             struct strerr *e) MUST_CHECK;
int list_is_there(const struct lists *l, enum list_id id);

#endif
