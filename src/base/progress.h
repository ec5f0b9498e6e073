/* progress: how far a long piece of work is, as a bar on a terminal (descriptor 2), and nothing
 * where there is no terminal. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdint.h>

struct progress {
  int on;
  uint64_t done, total;
  uint64_t shown; /* thousandths */
};

void progress_start(struct progress *p, uint64_t total);
/* One more is done. */
void progress_step(struct progress *p);
/* Take the bar away: before a line is printed, and at the end. */
void progress_clear(struct progress *p);

#endif
