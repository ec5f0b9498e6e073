/* Copying between two connections: whole, in both directions, ends, idleness, a side that breaks. */
#include "net/pump.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

#define MUCH (3 * 1024 * 1024)

struct run {
  struct pump_side a, b;
  struct pump_count n;
  struct strerr e;
  enum pump_end end;
  int64_t idle;
};

static void *start(void *arg) {
  struct run *r = arg;

  r->end = pump(&r->a, &r->b, r->idle, &r->n, &r->e);
  return 0;
}

/* Writes n bytes that tell where they stand, in odd pieces, and ends. */
struct writer {
  int fd;
  size_t n;
};

static char byte_at(size_t i) {
  return (char)(i * 7 + i / 251);
}

static void *write_much(void *arg) {
  const struct writer *w = arg;
  char buf[3001];

  for (size_t at = 0; at < w->n;) {
    size_t k = w->n - at < sizeof buf ? w->n - at : sizeof buf;

    for (size_t i = 0; i < k; ++i) buf[i] = byte_at(at + i);
    for (size_t sent = 0; sent < k;) {
      ssize_t s = write(w->fd, buf + sent, k - sent);

      if (s <= 0) return 0;
      sent += (size_t)s;
    }
    at += k;
  }
  shutdown(w->fd, SHUT_WR);
  return 0;
}

/* Bytes up to the end that are what write_much wrote. */
static size_t read_much(int fd) {
  char buf[777];
  size_t at = 0;
  ssize_t r;

  while ((r = read(fd, buf, sizeof buf)) > 0)
    for (ssize_t i = 0; i < r; ++i, ++at)
      if (buf[i] != byte_at(at)) return 0;
  return r == 0 ? at : 0;
}

static void both_ways(void) {
  int a[2], b[2];
  struct run r = {.idle = 20};
  pthread_t pumping, forth, back;

  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, a) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, b) == 0);
  r.a = (struct pump_side){a[1], a[1]};
  r.b = (struct pump_side){b[1], b[1]};
  {
    struct writer w = {a[0], MUCH}, v = {b[0], MUCH / 2};

    CHECK(pthread_create(&pumping, 0, start, &r) == 0);
    CHECK(pthread_create(&forth, 0, write_much, &w) == 0);
    /* the end of one direction is passed on, and the other goes on */
    CHECK(read_much(b[0]) == MUCH);
    CHECK(pthread_create(&back, 0, write_much, &v) == 0);
    CHECK(read_much(a[0]) == MUCH / 2);
    pthread_join(forth, 0);
    pthread_join(back, 0);
    pthread_join(pumping, 0);
  }
  CHECK(r.end == PUMP_ENDED && r.n.forth == MUCH && r.n.back == MUCH / 2);
  for (int i = 0; i < 2; ++i) close(a[i]), close(b[i]);
}

static void nobody_speaks(void) {
  int a[2], b[2];
  struct run r = {.idle = 1};

  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, a) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, b) == 0);
  r.a = (struct pump_side){a[1], a[1]};
  r.b = (struct pump_side){b[1], b[1]};
  start(&r);
  CHECK(r.end == PUMP_IDLE && r.n.forth == 0);
  /* one who does not take what the other says is idle too */
  CHECK(write(a[0], "x", 1) == 1);
  close(b[0]);
  start(&r);
  CHECK(r.end == PUMP_FAILED && *r.e.text);
  close(a[0]), close(a[1]), close(b[1]);
}

/* Descriptors that are pipes, as under a program that gives us two of them. */
static void pipes(void) {
  int in[2], out[2], b[2];
  struct run r = {.idle = 20};
  char buf[8] = "";

  CHECK(pipe(in) == 0 && pipe(out) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, b) == 0);
  r.a = (struct pump_side){in[0], out[1]};
  r.b = (struct pump_side){b[1], b[1]};
  CHECK(write(in[1], "to", 2) == 2 && write(b[0], "fro", 3) == 3);
  close(in[1]);
  shutdown(b[0], SHUT_WR);
  start(&r);
  CHECK(r.end == PUMP_ENDED && r.n.forth == 2 && r.n.back == 3);
  CHECK(read(b[0], buf, sizeof buf) == 2 && !memcmp(buf, "to", 2));
  CHECK(read(out[0], buf, sizeof buf) == 3 && !memcmp(buf, "fro", 3));
  CHECK(read(out[0], buf, sizeof buf) == 0); /* the end of it was told by closing */
  close(in[0]), close(out[0]), close(b[0]), close(b[1]);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  both_ways();
  nobody_speaks();
  pipes();
  return check_done();
}
