/* keeper: opens one fixed file for a process that has given its rights away.
 *
 * keeper_start forks while still privileged; the child knows one path, and answers
 * each byte it reads with a descriptor of that file, open for reading.  It ends
 * with its parent. */
#ifndef NET_KEEPER_H
#define NET_KEEPER_H

#include "base/strerr.h"
#include "base/stralloc.h"

/* The parent's socket, or -1 with e filled. */
int keeper_start(const char *path, struct strerr *e) MUST_CHECK;
/* The file, open: a descriptor or -1 with errno. */
int keeper_open(int sock) MUST_CHECK;

#endif
