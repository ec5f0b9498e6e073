/* vdeliver_run: the programs a virtual delivery starts: program lines, forwarding, and
 * the relay of a default action. */
#ifndef USER_VDELIVER_RUN_H
#define USER_VDELIVER_RUN_H

#include "user/vdeliver.h"

#define VDELIVER_STOP 99 /* a program line's wish that nothing follow */

/* /bin/sh -c command, message on descriptor 0: a deliver_result or VDELIVER_STOP. */
int vdeliver_program(const struct vdeliver *v, const char *command, struct strerr *e) MUST_CHECK;
/* What an exit code other than 0 and VDELIVER_STOP (or -1: none) of a delivery program means; e says so. */
enum deliver_result vdeliver_failed(const char *what, int code, struct strerr *e) MUST_CHECK;
/* All addresses in one message, through the program forward.  passed_on null: of its success this host tells;
 * else this is one address and all that is done, and *passed_on becomes 1 where that address took over what
 * the sender asked about notices. */
enum deliver_result vdeliver_forward(const struct vdeliver *v, const struct strlist *to, int *passed_on,
                                     struct strerr *e) MUST_CHECK;
/* To recipient through host:port, by qmail-remote. */
enum deliver_result vdeliver_route(const struct vdeliver *v, const char *host_port, const char *recipient,
                                   struct strerr *e) MUST_CHECK;

/* For programs of .qmail files: what qmail-local tells them, recipient, sender, switches, the lines
 * $RPLINE, $DTLINE and $QQEH (in head), and the message, descriptor 0, as something that can be read
 * twice.  0, or -1 with e filled, permanent when a variable is missing. */
int vdeliver_environment(struct vdeliver *v, stralloc *head, struct strerr *e) MUST_CHECK;
/* Such a program's exit code; unless all went well e is written.  A bounce is dropped with $DISCARD_BOUNCE. */
int vdeliver_exit(enum deliver_result r, const struct strerr *e) MUST_CHECK;

#endif
