/* assign: users/assign, which says under which account a local part is delivered, and
 * users/cdb, the same compiled for lookup.
 *
 * Lines: "=local:user:uid:gid:home:dash:ext:" for one local part,
 * "+prefix:user:uid:gid:home:dash:ext:" for all that begin with the prefix; a line "."
 * ends the file and must be there, so that a file cut short is noticed.
 *
 * The cdb: key "!local" NUL for =, "!prefix" for +, data "user NUL uid NUL gid NUL
 * home NUL dash NUL ext"; the empty key holds the bytes that may end a prefix.  Keys
 * are lower case. */
#ifndef USER_ASSIGN_H
#define USER_ASSIGN_H

#include <stdint.h>
#include <sys/stat.h>

#include "base/cdb.h"
#include "base/stralloc.h"
#include "base/strerr.h"

enum { ASSIGN_NAME, ASSIGN_USER, ASSIGN_UID, ASSIGN_GID, ASSIGN_HOME, ASSIGN_DASH, ASSIGN_EXT, ASSIGN_FIELDS };

struct assign_line {
  int wild; /* + rather than = */
  struct {
    const char *s;
    size_t n;
  } field[ASSIGN_FIELDS];
};

/* One line without its LF; fields point into it.  1, or 0 if it is malformed. */
int assign_parse(const char *line, size_t n, struct assign_line *l);
/* Text to cdb, into an open empty file.  0, or -1 with e naming the line. */
int assign_compile(const char *text, size_t n, int fd, struct strerr *e) MUST_CHECK;
/* Compile DIR/assign into DIR/cdb: through a temporary file, synced and renamed, so
 * that the old one serves until the new is whole.  0 or -1. */
int assign_newu(const char *dir, struct strerr *e) MUST_CHECK;

struct assign_user {
  stralloc data; /* what the pointers point into */
  const char *user, *home, *dash, *ext;
  uint32_t uid, gid;
};
/* Look a local part up in the file CDB: 1 found, 0 not (also when there is no such
 * file), -1 with e filled.  For a prefix the rest of the local part is in ext. */
int assign_find(const char *cdb, const char *local, size_t n, struct assign_user *u,
                struct strerr *e) MUST_CHECK;
/* The same for whoever asks often: the file stays open, and is opened anew when another
 * one has been put in its place.  Zeroed before first use. */
struct assign_file {
  struct cdb c;
  struct stat st; /* of the one that is open */
  int open;
};
int assign_find_again(struct assign_file *f, const char *cdb, const char *local, size_t n, struct assign_user *u,
                      struct strerr *e) MUST_CHECK;
void assign_user_free(struct assign_user *u);

/* The text with a line added before the final ".", or without the lines of this name
 * ("=name" or "+name"), into out.  assign_without: 1 if there was such a line, 0 if
 * not, -1 (memory). */
int assign_with(const char *text, size_t n, const char *line, stralloc *out) MUST_CHECK;
int assign_without(const char *text, size_t n, const char *name, stralloc *out) MUST_CHECK;

#endif
