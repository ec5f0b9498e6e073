/* user_line: a user as a line of text, as lists of them are kept: by vpopmail in the files vpasswd
 *   name:hash:uid:flags:comment:directory:quota[:password]
 * where uid and a password in clear are left aside, or shorter
 *   name:hash[:comment[:quota]]
 * Pure. */
#ifndef USER_USER_LINE_H
#define USER_USER_LINE_H

#include <stdint.h>

#include "base/stralloc.h"
#include "user/quota.h"

#define USER_LINE_MAX 2048 /* bytes */

struct user_line {
  stralloc name, hash, comment; /* name in small letters; comment that of the name where there is none */
  stralloc home; /* the directory as it stands, "" where there is none */
  struct quota quota;
  int has_quota;  /* else it is for somebody else to say */
  uint32_t flags; /* of user/userdb.h */
};

/* Takes the line apart, without its LF: null, or why it is no user; "out of memory" among the reasons. */
const char *user_line_parse(const char *s, size_t n, struct user_line *u);
/* The same, whatever stands in the place of the hash. */
const char *user_line_take(const char *s, size_t n, struct user_line *u);
/* Null, or why that directory cannot be the user's: it is an absolute path of some length without detours,
 * which ends in the name, so that no two users of a domain share one and none owns a directory of others. */
const char *user_home_fault(const char *home, const char *name);
void user_line_free(struct user_line *u);

#endif
