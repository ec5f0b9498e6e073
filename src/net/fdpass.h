/* fdpass: messages with descriptors over a Unix socket (SCM_RIGHTS). */
#ifndef NET_FDPASS_H
#define NET_FDPASS_H

#include <stddef.h>
#include <sys/types.h>

#define FDPASS_MAX 4

/* Send n bytes (at least one) and the descriptors: 0, or -1 with errno.  Blocks as
 * the socket does; never raises SIGPIPE. */
int fdpass_send(int sock, const void *buf, size_t n, const int *fd, size_t fds);
/* Receive one message of at most n bytes with up to FDPASS_MAX descriptors, which
 * are close-on-exec and the caller's to close.  Bytes, 0 at the end, -1 with errno
 * (EMSGSIZE: a message, or its descriptors, did not fit; nothing is left open). */
ssize_t fdpass_recv(int sock, void *buf, size_t n, int fd[FDPASS_MAX], size_t *fds);

#endif
