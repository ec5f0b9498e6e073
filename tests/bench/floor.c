/* floor: what this machine itself takes for the steps that no server can leave out.  floor DIR;
 * prints medians in microseconds: a new file of 1 kB synced, its directory synced after it was
 * renamed, and a byte sent to another process and back when both have slept for a while. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

#define TIMES 300
#define PAUSE 1000000 /* ns: long enough for a processor to go to sleep */

static void rest(void) {
  nanosleep(&(struct timespec){.tv_nsec = PAUSE}, 0);
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;

  return x < y ? -1 : x > y;
}

static double median(double *took) {
  qsort(took, TIMES, sizeof *took, compare);
  return took[TIMES / 2];
}

static void syncs(void) {
  static double file[TIMES], dir[TIMES];
  static char text[1000];
  int here = open(".", O_RDONLY | O_DIRECTORY);

  if (here == -1) die("open");
  for (int i = 0; i < TIMES; ++i) {
    double start, written;
    char name[16];
    int fd;

    rest();
    snprintf(name, sizeof name, "%d", i);
    start = now();
    fd = open("new", O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd == -1 || write(fd, text, sizeof text) != sizeof text || fsync(fd) == -1) die("write");
    written = now();
    if (rename("new", name) == -1 || fsync(here) == -1) die("rename");
    dir[i] = now() - written;
    file[i] = written - start;
    close(fd);
  }
  for (int i = 0; i < TIMES; ++i) {
    char name[16];

    snprintf(name, sizeof name, "%d", i);
    unlink(name);
  }
  printf("%.0f %.0f ", median(file), median(dir));
}

static void there_and_back(void) {
  static double took[TIMES];
  int pair[2];
  char c = 0;
  pid_t pid;

  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1) die("socketpair");
  pid = fork();
  if (pid == 0) {
    close(pair[0]);
    while (read(pair[1], &c, 1) == 1)
      if (write(pair[1], &c, 1) != 1) _exit(1);
    _exit(0);
  }
  close(pair[1]);
  for (int i = 0; i < TIMES; ++i) {
    rest();
    took[i] = now();
    if (pid == -1 || write(pair[0], &c, 1) != 1 || read(pair[0], &c, 1) != 1) die("socket");
    took[i] = now() - took[i];
  }
  printf("%.0f\n", median(took));
}

int main(int argc, char **argv) {
  if (argc != 2 || chdir(argv[1]) == -1) die("floor");
  syncs();
  fflush(stdout);
  there_and_back();
  return 0;
}
