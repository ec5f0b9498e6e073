/* spawner: the engine of qmail-lspawn and qmail-rspawn.  Reads commands on fd 0,
 * starts one process per delivery with the message as its fd 0, collects what it
 * prints, and reports on fd 1.  The current directory is the queue. */
#ifndef SEND_SPAWNER_H
#define SEND_SPAWNER_H

#include <sys/types.h>

#include "base/loop.h"
#include "base/spawn.h"
#include "queue/spawn_proto.h"

#define SPAWNER_ELSEWHERE 0

struct spawner_slot; /* one delivery under way */

struct spawner {
  const char *name; /* for messages on fd 2 */
  size_t output_max;
  /* Start the delivery: the pid; SPAWNER_ELSEWHERE when somebody else does it, who will
   * call spawner_over; or -1 with result (K, Z or D, for all recipients) and text filled in. */
  pid_t (*start)(void *ctx, struct spawner_slot *slot, const struct spawn_command *c, int messfd, int outfd,
                 char *result, stralloc *text);
  /* Judge a finished one for the i-th of its recipients: fills result and text from its
   * wait status and output. */
  int (*judge)(void *ctx, int status, const stralloc *output, size_t i, char *result, stralloc *text);
  /* Called once before the first command, with the loop that everything runs on. */
  void (*ready)(void *ctx, struct loop *loop);
  void *ctx;
};

/* A delivery done elsewhere is over, with this wait status. */
void spawner_over(struct spawner_slot *slot, int status);

/* Run until the end of fd 0 and of the last delivery: the exit code (0 or 111). */
int spawner_run(const struct spawner *s);

#endif
