/* quota_reset: a mailbox's maildirsize, counted and written anew. */
#ifndef USER_QUOTA_RESET_H
#define USER_QUOTA_RESET_H

#include "user/identity.h"
#include "user/maildirsize.h"

struct quota_reset {
  const struct identity *owner; /* as whom: null, as the owner of the directory */
  const struct quota *quota;    /* null: the one the file says, or none */
  uint32_t mode;                /* of the file; 0: as it is made */
  struct maildirsize_rules rules;
};

/* 0 with the usage; 1 where there is no such directory; -1 (permanent: it belongs to root). */
int quota_reset(const char *maildir, const struct quota_reset *q, struct usage *usage, struct strerr *e) MUST_CHECK;

#endif
