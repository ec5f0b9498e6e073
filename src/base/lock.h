/* lock: whole-file advisory locks (flock).  The lock lives as long as the open
 * file, so it is gone when the process is.  0 or -1 with errno. */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

/* Wait for it. */
int lock_ex(int fd);
/* Do not wait: EWOULDBLOCK when held by another. */
int lock_exnb(int fd);
/* The same, shared: only who holds it exclusively is in the way. */
int lock_shnb(int fd);
/* Open (creating, mode 0600) and lock at once: the descriptor or -1. */
int lock_file(const char *path);
int lock_file_nb(const char *path);

#endif
