/* spawner: the engine of qmail-lspawn and qmail-rspawn.  Reads commands on fd 0,
 * starts one process per delivery with the message as its fd 0, collects what it
 * prints, and reports on fd 1.  The current directory is the queue. */
#ifndef SEND_SPAWNER_H
#define SEND_SPAWNER_H

#include <sys/types.h>

#include "base/spawn.h"
#include "queue/spawn_proto.h"

struct spawner {
  const char *name; /* for messages on fd 2 */
  size_t output_max;
  /* Start the delivery: the pid, or -1 with result (Z or D) and text filled in. */
  pid_t (*start)(void *ctx, const struct spawn_command *c, int messfd, int outfd, char *result,
                 stralloc *text);
  /* Judge a finished one: fills result and text from its wait status and output. */
  int (*judge)(void *ctx, int status, const stralloc *output, char *result, stralloc *text);
  void *ctx;
};

/* Run until the end of fd 0 and of the last delivery: the exit code (0 or 111). */
int spawner_run(const struct spawner *s);

#endif
