/* connect: load of SMTP clients that connect, read the banner, say QUIT and read the
 * answer, so many at once.  connect PORT AT_ONCE TOTAL; prints connections per second. */
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

#define AT_ONCE_MAX 1000
#define PATIENCE 120 /* seconds */

enum state { CONNECTING, SAID_QUIT };
struct client {
  int fd;
  enum state state;
};

static void begin(struct client *c, const struct sockaddr_in *to) {
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  c->state = CONNECTING;
  if (c->fd == -1 || connect(c->fd, (const struct sockaddr *)to, sizeof *to) == -1) die("connect");
}

/* What came was taken for a whole reply: our servers send each in one piece. 1: over. */
static int step(struct client *c) {
  char buf[1024];
  ssize_t n = read(c->fd, buf, sizeof buf);

  if (n == -1) die("read");
  if (c->state == CONNECTING) {
    if (n < 4 || memcmp(buf, "220 ", 4)) {
      fprintf(stderr, "connect: not a greeting\n");
      exit(111);
    }
    if (write(c->fd, "QUIT\r\n", 6) != 6) die("write");
    c->state = SAID_QUIT;
    return 0;
  }
  close(c->fd);
  return 1;
}

int main(int argc, char **argv) {
  static struct client client[AT_ONCE_MAX];
  static struct pollfd p[AT_ONCE_MAX];
  struct sockaddr_in to = {.sin_family = AF_INET};
  struct timespec t0, t1;
  long at_once, total, begun = 0, over = 0;

  if (argc != 4) return 100;
  alarm(PATIENCE); /* a server that stops answering ends the measure */
  to.sin_port = htons((unsigned short)atoi(argv[1]));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at_once = atol(argv[2]);
  total = atol(argv[3]);
  if (at_once < 1 || at_once > AT_ONCE_MAX || total < at_once) return 100;
  clock_gettime(CLOCK_MONOTONIC, &t0);
  for (long i = 0; i < at_once; ++i, ++begun) begin(&client[i], &to);
  while (over < total) {
    for (long i = 0; i < at_once; ++i) p[i] = (struct pollfd){client[i].fd, POLLIN, 0};
    if (poll(p, (nfds_t)at_once, 30000) <= 0) die("poll");
    for (long i = 0; i < at_once; ++i) {
      if (!p[i].revents || !step(&client[i])) continue;
      ++over;
      client[i].fd = -1;
      if (begun < total) {
        begin(&client[i], &to);
        ++begun;
      }
    }
  }
  clock_gettime(CLOCK_MONOTONIC, &t1);
  printf("%.1f\n", (double)total / ((double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9));
  return 0;
}
