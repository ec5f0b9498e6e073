/* vdeliver_run: the programs a virtual delivery starts: program lines, forwarding, and
 * the relay of a default action. */
#ifndef USER_VDELIVER_RUN_H
#define USER_VDELIVER_RUN_H

#include "user/vdeliver.h"

#define VDELIVER_STOP 99 /* a program line's wish that nothing follow */

/* /bin/sh -c command, message on descriptor 0: a deliver_result or VDELIVER_STOP. */
int vdeliver_program(const struct vdeliver *v, const char *command, struct strerr *e) MUST_CHECK;
/* All addresses in one message, through the program forward. */
enum deliver_result vdeliver_forward(const struct vdeliver *v, const struct strlist *to,
                                     struct strerr *e) MUST_CHECK;
/* To recipient through host:port, by qmail-remote. */
enum deliver_result vdeliver_route(const struct vdeliver *v, const char *host_port, const char *recipient,
                                   struct strerr *e) MUST_CHECK;

/* For programs of .qmail files.  The lines $RPLINE, $DTLINE and $QQEH, as far as they are set: 1 or 0. */
int vdeliver_head(stralloc *head) MUST_CHECK;
/* The message, descriptor 0, as something that can be read twice: a descriptor, or -1 with e filled. */
int vdeliver_seekable(struct strerr *e) MUST_CHECK;

#endif
