/* pam_backend: where pam-multi, the module of PAM, and iauth know users from: inlookup, or a command
 * of the administrator's that prints what is stored.  Everything here is for use inside programs of
 * others: nothing is printed, nothing exits. */
#ifndef USER_PAM_BACKEND_H
#define USER_PAM_BACKEND_H

#include <stdint.h>

#include "base/attr.h"
#include "base/stralloc.h"
#include "base/strerr.h"

struct pam_backend {
  const char *command; /* null: inlookup */
  const char *service; /* what the password is for; null: as the name of PAM's service says */
};
/* Of the arguments of a line in pam.d:
 *   (none), -s LIBRARY  inlookup; LIBRARY must be named iauth.so, as it was once
 *   -c COMMAND          a whole path and its arguments, cut at blanks, with %u, %d, %U, %D
 *   service=NAME
 *   -d, args            taken, and without effect
 * 0, or -1 with e filled. */
int pam_backend_parse(struct pam_backend *b, int argc, const char *const *argv, struct strerr *e) MUST_CHECK;

struct pam_question {
  const char *user, *password, *service, *ip;
};
enum pam_verdict { PAM_BACKEND_YES, PAM_BACKEND_NO, PAM_BACKEND_UNKNOWN, PAM_BACKEND_EXPIRED, PAM_BACKEND_OLD, PAM_BACKEND_TEMPFAIL };
/* Is the password right?  May the account be used?  e is filled for TEMPFAIL. */
enum pam_verdict pam_backend_password(const struct pam_backend *b, const struct pam_question *q, struct strerr *e) MUST_CHECK;
enum pam_verdict pam_backend_account(const struct pam_backend *b, const struct pam_question *q, struct strerr *e) MUST_CHECK;

/* "account,password": until when each may be used, in seconds since 1970, -1 or nothing for ever.  YES,
 * EXPIRED or OLD (the password) at that time; TEMPFAIL when the text is none of that form. */
enum pam_verdict pam_expiry(const char *text, int64_t now);
/* The word with %u and %U (what stands before the last @ of user), %d and %D (behind it) and %% replaced:
 * 1, 0 another % or memory.  Both spellings are the same: no shell sees them. */
int pam_word(const char *word, const char *user, stralloc *out) MUST_CHECK;

#endif
