/* fd: descriptors.  All opens are close-on-exec.  0 or a descriptor on success,
 * -1 with errno. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <sys/types.h>

#include "base/stralloc.h"

int fd_open_read(const char *path);
int fd_open_write_nonblock(const char *path);            /* FIFO writer */
int fd_open_append(const char *path, mode_t mode);
int fd_open_trunc(const char *path, mode_t mode);
int fd_open_excl(const char *path, mode_t mode);         /* must not exist */
/* To read and write a regular file, made if it is not there, in a directory that somebody else may have filled: no
 * link is followed, and nothing that would have to be waited for opened (EINVAL). */
int fd_open_among(const char *path, mode_t mode);
int fd_pipe(int p[2]);
int fd_socketpair(int p[2]);                             /* AF_UNIX stream */
int fd_nonblock(int fd);
int fd_block(int fd);
int fd_cloexec(int fd, int on);
/* Above 2, where somebody may have been left out, and close-on-exec: the descriptor that takes the place of this one,
 * which is closed, or -1. */
int fd_above(int fd);
/* close unless -1, keeping errno; always gives -1 so that fd = fd_close(fd). */
int fd_close(int fd);
/* All len bytes, EINTR and short writes handled: 0 or -1. */
int fd_write_all(int fd, const char *buf, size_t len) MUST_CHECK;
/* Exactly len bytes: 1, 0 if the input ended before, -1. */
int fd_read_all(int fd, char *buf, size_t len) MUST_CHECK;
/* Append everything up to the end, at most max bytes (then errno EFBIG). */
int fd_slurp(int fd, stralloc *sa, size_t max) MUST_CHECK;
/* The same of a regular file, where a read that gives less than it could has come to the end. */
int fd_slurp_file(int fd, stralloc *sa, size_t max) MUST_CHECK;
/* fd itself where one can seek in it, else an unnamed file in /tmp with all that it had to say,
 * whose offset is at its end. */
int fd_seekable(int fd) MUST_CHECK;
/* A regular file of the user we are, which nobody else can write: 1, or 0 with errno. */
int fd_is_ours(int fd);
/* fsync of a directory, by path or as the parent of path. */
int fd_syncdir(const char *dir) MUST_CHECK;

#endif
