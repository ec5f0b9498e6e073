/* bulletin: a message of the administrator's put into the mailboxes of all users (vbulletin).
 *
 * The file BulkMail of a Maildir has a line for each bulletin its user got, the SHA-256 of its text:
 * who runs it again, after a kill or for users who came later, gives nobody a second one. */
#ifndef USER_BULLETIN_H
#define USER_BULLETIN_H

#include "base/strlist.h"
#include "user/account_each.h"

enum bulletin_outcome { BULLETIN_SENT, BULLETIN_HAD, BULLETIN_OUTCOMES };

struct bulletin {
  int fd;
  stralloc digest;
  struct strlist excluded, only; /* addresses; only empty: everybody */
  int dry;
  void (*tell)(void *ctx, const struct userdb_user *u, enum bulletin_outcome outcome);
  void (*fault)(void *ctx, const struct strerr *e); /* of one user: the others get it */
  void *ctx;
  uint64_t count[BULLETIN_OUTCOMES];
  struct progress progress;
};

/* Open the message in this file: 0, or -1 (permanent: it is none). */
int bulletin_open(struct bulletin *b, const char *path, struct strerr *e) MUST_CHECK;
/* Addresses, one a line, of a file, to one of the lists. */
int bulletin_list(struct strlist *list, const char *path, struct strerr *e) MUST_CHECK;
/* To active users of the domain (null: of all), groups and those excluded apart.  0, or -1 where it
 * cannot go on. */
int bulletin_run(struct site *s, const char *domain, struct bulletin *b, struct strerr *e) MUST_CHECK;
/* To lie in the directory of each of these domains under this name until its users log in
 * (user/bulletin_wait.h).  0 or -1. */
int bulletin_leave(struct site *s, const char *domain, const struct bulletin *b, const char *name, struct strerr *e) MUST_CHECK;
void bulletin_free(struct bulletin *b);
/* Is this the text of a message: a header field first, no NUL? */
int bulletin_text_ok(const char *s, size_t n);

#endif
