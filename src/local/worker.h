/* worker: qmail-local as a resident process of one account.  qmail-lspawn keeps a few
 * of them and hands each delivery over a socket; see queue/worker_proto.h for what is
 * said.  The deliveries are those of qmail-local, by the same code. */
#ifndef LOCAL_WORKER_H
#define LOCAL_WORKER_H

#include "conf/conf.h"

/* Serve the socket until its end: the exit code. */
int worker_serve(int sock, const struct conf *conf);

#endif
