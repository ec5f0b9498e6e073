/* svstate: what supervise tells and is told through DIR/supervise.
 *
 * DIR/supervise/status is replaced at each change; lock is held while supervise
 * runs; ok is a FIFO open for reading while it runs; control is a FIFO that takes
 * one-byte commands. */
#ifndef SUPER_SVSTATE_H
#define SUPER_SVSTATE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/stralloc.h"
#include "base/strerr.h"
#include "base/tai64n.h"

#define SVSTATUS_CLASSIC 18 /* bytes every reader may count on */
#define SVSTATUS_SIZE 21

/* Layout: 0-11 TAI64N of the last change, 12-15 pid (little-endian), 16 paused,
 * 17 'u', 'd' or 0, 18-19 seconds until the next start (0: none), 20 ready. */
struct svstatus {
  struct tai64n since;
  uint32_t pid; /* 0 when the service is down */
  int paused;
  char want; /* 'u' up, 'd' down, 0 leave it as it is */
  uint16_t wait;
  int up; /* run itself is running: not init, not waiting */
};

void svstatus_pack(char out[SVSTATUS_SIZE], const struct svstatus *s);
/* 18 bytes or more: 1, or 0 when they are no status. */
int svstatus_parse(const char *in, size_t n, struct svstatus *s);

enum svstate {
  SVSTATE_UP = 0,
  SVSTATE_DOWN = 1,
  SVSTATE_UNSUPERVISED = 2,
  SVSTATE_PAUSED = 3,
  SVSTATE_WANT_UP = 4,
  SVSTATE_WANT_DOWN = 5,
  SVSTATE_WAITING = 6,
};
enum svstate svstatus_state(const struct svstatus *s);

/* Is a supervise running for dir?  1, 0 no, -1 with e filled. */
int sv_ok(const char *dir, struct strerr *e) MUST_CHECK;
/* Send command bytes: 1, 0 when no supervise runs there, -1. */
int sv_control(const char *dir, const char *commands, size_t n, struct strerr *e) MUST_CHECK;
/* Read the status: 1, or -1. */
int sv_status(const char *dir, struct svstatus *s, struct strerr *e) MUST_CHECK;
/* Is there a file of this name in dir (down, run)? 1 or 0; -1 when that cannot be told. */
int sv_has(const char *dir, const char *name);

/* "up (pid 12) 34 seconds, want down" and the like, appended to out.  1 or 0. */
int sv_describe(const struct svstatus *s, int normally_down, int64_t now, stralloc *out) MUST_CHECK;

#endif
