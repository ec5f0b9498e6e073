/* pump: copies between two connections until both have ended, or neither says anything for too long. */
#ifndef NET_PUMP_H
#define NET_PUMP_H

#include <stdint.h>

#include "base/attr.h"
#include "base/strerr.h"

/* One side: descriptors to read and to write (the same for a socket). */
struct pump_side {
  int in, out;
};
struct pump_count {
  uint64_t forth, back; /* bytes from a to b, from b to a */
};

enum pump_end {
  PUMP_ENDED,
  PUMP_IDLE,  /* no byte either way for idle seconds */
  PUMP_FAILED /* e is filled: a side broke */
};
/* The end of one direction is passed on (FIN where it is a socket, else the descriptor is closed) and the
 * other goes on.  The descriptors become nonblocking and stay open otherwise. */
enum pump_end pump(const struct pump_side *a, const struct pump_side *b, int64_t idle, struct pump_count *n, struct strerr *e) MUST_CHECK;

#endif
