/* list_provider: where lines of a list can be.  One struct a kind, named in the table of
 * smtp/list.c; what it says counts in the order of that table. */
#ifndef SMTP_LIST_PROVIDER_H
#define SMTP_LIST_PROVIDER_H

#include "base/strerr.h"
#include "mail/addrset.h"

struct list_place {
  const char *file;     /* path of the list */
  const char *patterns; /* of more lines of it, or "" */
  int regex;            /* its lines are regular expressions */
};

struct list_provider {
  const char *name;
  /* 1 with *state the provider's own, 0 when there is nothing of this kind, -1 with e filled. */
  int (*open)(const struct list_place *at, void **state, struct strerr *e);
  /* ADDRSET_FAILED with e filled. */
  enum addrset_verdict (*find)(void *state, enum addrset_subject what, const char *subject, size_t n,
                               struct strerr *e);
  void (*close)(void *state);
};

extern const struct list_provider list_plain, list_cdb;

#endif
