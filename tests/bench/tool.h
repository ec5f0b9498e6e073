/* tool: what the small programs of the benchmark share. */
#ifndef BENCH_TOOL_H
#define BENCH_TOOL_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline void die(const char *what) {
  perror(what);
  exit(111);
}

/* Microseconds of a clock that never jumps. */
static inline double now(void) {
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

#endif
