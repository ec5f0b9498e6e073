/* todo: the engine of todo-proc.  Finds new messages, reads and judges their
 * envelopes once, and hands them to qmail-send.  It alone reads envelopes. */
#ifndef SEND_TODO_H
#define SEND_TODO_H

#include "base/strerr.h"

/* In the current directory, a queue: fd 0 from qmail-send, fd 1 to it.  Until fd 0
 * ends: 0, or -1 with e filled. */
int todo_run(struct strerr *e) MUST_CHECK;

#endif
