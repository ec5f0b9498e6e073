/* spawner: the engine of qmail-lspawn and qmail-rspawn.  Reads commands on fd 0,
 * starts one process per delivery, or has one that stays do it, collects what is
 * printed, and reports on fd 1.  The current directory is the queue. */
#ifndef SEND_SPAWNER_H
#define SEND_SPAWNER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/loop.h"
#include "base/spawn.h"
#include "queue/spawn_proto.h"

#define SPAWNER_ELSEWHERE 0

struct spawner_slot; /* one delivery under way */

struct spawner {
  const char *name; /* for messages on fd 2 */
  size_t output_max; /* for each recipient; what is beyond is read and dropped */
  /* Start the delivery: the pid of the process that does it, leader of its own process group;
   * SPAWNER_ELSEWHERE when a process that stays does it, which spawner_elsewhere has named and
   * for which spawner_over will be called; or -1 with result (K, Z or D, for all recipients)
   * and text filled in. */
  pid_t (*start)(void *ctx, struct spawner_slot *slot, const struct spawn_command *c, int messfd, char *result,
                 stralloc *text);
  /* Judge a finished one for the i-th of its n recipients: fills result and text from its
   * wait status and output. */
  int (*judge)(void *ctx, int status, const stralloc *output, size_t i, size_t n, char *result, stralloc *text);
  /* Called once before the first command, with the loop that everything runs on. */
  void (*ready)(void *ctx, struct loop *loop);
  void *ctx;
};

/* For start: a pipe that the delivery's output goes into, until the last writer closes it.  Its
 * end to write to, which stays ours, or -1. */
int spawner_pipe(struct spawner_slot *slot);
/* For start: pid is the leader of the process group that has the delivery. */
void spawner_elsewhere(struct spawner_slot *slot, pid_t pid);
/* Output of a delivery done elsewhere, not by a pipe: 1, or 0 when memory ran out. */
int spawner_output(struct spawner_slot *slot, const char *s, size_t n) MUST_CHECK;
const stralloc *spawner_printed(const struct spawner_slot *slot);
/* A delivery done elsewhere is over, with this wait status. */
void spawner_over(struct spawner_slot *slot, int status);

/* Run until the end of fd 0 and of the last delivery: the exit code (0 or 111).  A delivery
 * that takes longer than control/deliverytimeout is ended, and deferred. */
int spawner_run(const struct spawner *s);

#endif
