/* latency: one SMTP client that sends a message, waits until it is in the Maildir, and a moment later sends the next:
 * latency PORT SENDER RECIPIENT DIRECTORY TOTAL.  Prints for each the microseconds from MAIL to 250 and from there to the
 * file.  Plain calls of the system and nothing else, so that little of what is measured is the client's. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

#define PATIENCE 120  /* seconds, for all of it */
#define BODY 1000     /* bytes */
#define PAUSE 3000    /* microseconds: what a server still does about one message must not be in the way of the next */

static char buf[65536];

/* A whole reply, of this first digit: its last line has a blank behind the code. */
static void reply(int fd, char digit) {
  size_t have = 0, line = 0;

  for (;;) {
    ssize_t n = read(fd, buf + have, sizeof buf - have);

    if (n <= 0) die("read");
    have += (size_t)n;
    for (size_t i = line; i < have; ++i)
      if (buf[i] == '\n') {
        if (buf[line] != digit) {
          fprintf(stderr, "latency: refused: %.*s", (int)(i + 1 - line), buf + line);
          exit(111);
        }
        if (i - line > 3 && buf[line + 3] == ' ') return;
        line = i + 1;
      }
  }
}

static void say(int fd, const char *s, size_t n, char digit) {
  if (write(fd, s, n) != (ssize_t)n) die("write");
  reply(fd, digit);
}

/* A file has come. */
static void arrival(int watch) {
  if (read(watch, buf, sizeof buf) <= 0) die("inotify");
}

int main(int argc, char **argv) {
  struct sockaddr_in to = {.sin_family = AF_INET};
  char mail[512], rcpt[512], text[BODY + 64];
  int watch = inotify_init1(IN_CLOEXEC);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int one = 1;

  if (argc != 6) return 100;
  alarm(PATIENCE);
  to.sin_port = htons((unsigned short)atoi(argv[1]));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  snprintf(mail, sizeof mail, "MAIL FROM:<%s>\r\n", argv[2]);
  snprintf(rcpt, sizeof rcpt, "RCPT TO:<%s>\r\n", argv[3]);
  memset(text, 'x', sizeof text);
  memcpy(text, "Subject: bench\r\n\r\n", 18);
  memcpy(text + 18 + BODY, "\r\n.\r\n", 5);
  if (watch == -1 || inotify_add_watch(watch, argv[4], IN_CREATE | IN_MOVED_TO) == -1) die("inotify");
  if (fd == -1 || connect(fd, (const struct sockaddr *)&to, sizeof to) == -1) die("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  reply(fd, '2');
  say(fd, "EHLO bench.example\r\n", 20, '2');
  for (long left = atol(argv[5]); left > 0; --left) {
    double start = now(), accepted;

    say(fd, mail, strlen(mail), '2');
    say(fd, rcpt, strlen(rcpt), '2');
    say(fd, "DATA\r\n", 6, '3');
    say(fd, text, 18 + BODY + 5, '2');
    accepted = now();
    arrival(watch);
    printf("%.1f %.1f\n", accepted - start, now() - accepted);
    usleep(PAUSE);
  }
  say(fd, "QUIT\r\n", 6, '2');
  return 0;
}
