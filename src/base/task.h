/* task: functions that run by turns in one process, each on a stack of its own, so that
 * code which waits (base/wait.h) lets the others go on.  Nothing is preempted: a task
 * runs until it waits or ends.  Descriptors and timers are watched by the loop. */
#ifndef BASE_TASK_H
#define BASE_TASK_H

#include <stddef.h>

#include "base/attr.h"
#include "base/loop.h"

struct task;

struct tasks {
  struct loop *loop;
  size_t stack;      /* bytes for each; a task that needs more dies on the guard page */
  size_t running;    /* tasks that have not ended */
  struct task *idle; /* stacks to be used again */
  size_t idle_n;
};

/* Run fn(ctx) as a task until it first waits; the rest comes from the loop.  fd is the
 * descriptor it will wait for most (the connection it serves), or -1; it may be closed or
 * replaced only after wait_forget.  0, or -1 with errno (no memory for a stack): fn was
 * not called. */
int task_start(struct tasks *t, int fd, void (*fn)(void *ctx), void *ctx) MUST_CHECK;
/* The task that is running, or null outside of any. */
struct task *task_current(void);
/* Run fn(ctx) as one step: what it waits for, the whole process waits for. */
void task_undivided(void (*fn)(void *ctx), void *ctx);
/* For wait.c. events are poll(2)'s; fd -1: none, only the time. */
int task_wait(int fd, short events, deadline when) MUST_CHECK;
void task_forget(int fd);
/* Give back the stacks of tasks that have ended. */
void tasks_free(struct tasks *t);

#endif
