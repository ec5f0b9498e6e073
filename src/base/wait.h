/* wait: the one place where code that may block waits.
 *
 * In an ordinary process these are poll(2).  Inside a task (base/task.h) the task
 * yields and others run meanwhile: the same straight-line code serves one connection
 * in a process of its own, or hundreds in a resident one. */
#ifndef BASE_WAIT_H
#define BASE_WAIT_H

#include <poll.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/now.h"

/* Until one of the events (POLLIN or POLLOUT; an error or hang-up counts as either) or
 * the deadline: 0, or -1 with errno, ETIMEDOUT at the deadline. */
int wait_fd(int fd, short events, deadline when) MUST_CHECK;
/* Until then, whatever happens. */
void wait_until(deadline when);
/* In a task: let others have their turn, where much is to be done without waiting. */
void wait_turn(void);
/* Until this child ends: 0 with its wait status; -1 with errno ETIMEDOUT at the deadline
 * (it still runs), or another error. */
int wait_child(pid_t pid, deadline when, int *status) MUST_CHECK;
/* The same; a child that still runs at the deadline is killed: its exit code (spawn_code), or -1 then. */
int wait_child_or_end(pid_t pid, deadline when);
/* To be called before a connection's descriptor is closed or replaced: a task goes on
 * watching the one it was started for. */
void wait_forget(int fd);

/* In an ordinary process: whenever it waits, call fn as soon as this descriptor (of signals, say)
 * can be read; then the wait goes on.  One for a process; fd -1: none any more. */
void wait_also(int fd, void (*fn)(void *ctx), void *ctx);
/* An ordinary process that has not said so: whoever waits for something may block in it. */
int wait_for_one(void);

#endif
