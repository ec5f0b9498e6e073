/* keeper: opens certificates for a process that has given its rights away.
 *
 * keeper_start forks while still privileged.  The child knows one path, and one directory in
 * which NAME.pem belongs to the host NAME; it answers what it is asked for, a name or nothing,
 * with a descriptor of that file, open for reading.  A name that is no host's it does not look
 * for.  It ends with its parent. */
#ifndef NET_KEEPER_H
#define NET_KEEPER_H

#include "base/strerr.h"
#include "base/stralloc.h"

#define KEEPER_NAME_MAX 253

/* Letters, digits, hyphens and single dots, in lower case: what a file may be called by. */
int keeper_name_ok(const char *name);
/* The path of a host's file, in out: 1, 0 the name is none, -1 no memory. */
int keeper_path(const char *names, const char *name, stralloc *out);

/* The parent's socket, or -1 with e filled.  names: the directory. */
int keeper_start(const char *path, const char *names, struct strerr *e) MUST_CHECK;
/* The file, open: a descriptor or -1 with errno.  name: "" for the one path. */
int keeper_open(int sock, const char *name) MUST_CHECK;

#endif
