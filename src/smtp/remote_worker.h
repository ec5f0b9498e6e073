/* remote_worker: qmail-remote as a resident process.  qmail-rspawn hands each message over a
 * socket (queue/worker_proto.h); the deliveries are those of qmail-remote, by the same code. */
#ifndef SMTP_REMOTE_WORKER_H
#define SMTP_REMOTE_WORKER_H

/* Serve the socket until its end: the exit code. */
int remote_worker_serve(int sock);

#endif
