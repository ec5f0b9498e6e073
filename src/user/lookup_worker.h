/* lookup_worker: one process of inlookup: clients on a socket, or on a FIFO, are
 * answered one request after another. */
#ifndef USER_LOOKUP_WORKER_H
#define USER_LOOKUP_WORKER_H

#include "base/strerr.h"
#include "user/lookup_answer.h"

struct lookup_worker {
  struct lookup_service *service;
  int listener;
  int fifo;    /* -1: none */
  int replies; /* directory of the clients' reply FIFOs */
  int sandbox; /* conf/sandbox.h */
};

/* Serve until SIGTERM: 0, or -1 with e filled. */
int lookup_worker_run(struct lookup_worker *w, struct strerr *e) MUST_CHECK;

#endif
