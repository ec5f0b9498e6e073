/* sigfd: signals arrive as a descriptor that becomes readable (signalfd), so no
 * code of ours ever runs inside a handler. */
#ifndef BASE_SIGFD_H
#define BASE_SIGFD_H

#include <stdint.h>

/* Block the listed signals (0 ends the list) and give a non-blocking, close-on-exec
 * descriptor for them above 2, where somebody may have been left out, or -1 with errno. */
int sigfd_open(int sig, ...);
/* The next signal's number, 0 when none waits, -1 with errno. */
int sigfd_next(int fd);
/* Block these signals and no others: what comes waits for sigfd_open, after an exec too (of
 * spawn_exec with the same bits held). */
#define SIG_BIT(sig) (UINT32_C(1) << (sig))
void sig_hold(uint32_t bits);
/* Ignore SIGPIPE: writers see EPIPE. */
void sig_ignore_pipe(void);

#endif
