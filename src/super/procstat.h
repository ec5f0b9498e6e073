/* procstat: what /proc says about a process. */
#ifndef SUPER_PROCSTAT_H
#define SUPER_PROCSTAT_H

#include <stdint.h>
#include <sys/types.h>

#define BOOT_ID_SIZE 36

struct procstat {
  pid_t parent;
  char state;
  int64_t started; /* CLOCK_BOOTTIME nanoseconds, rounded down to a clock tick */
};

/* The text of /proc/PID/stat: 1, or 0 when it is malformed. */
int procstat_parse(const char *s, size_t n, struct procstat *p);
/* 1, 0 when there is no such process, -1 with errno. */
int procstat_read(pid_t pid, struct procstat *p);
/* The id of this boot of the machine: 0 or -1. */
int procstat_boot_id(char id[BOOT_ID_SIZE]);
/* Calls fn for each process whose parent is the given one.  0 or -1. */
int procstat_children(pid_t parent, void (*fn)(void *ctx, pid_t pid), void *ctx);

#endif
