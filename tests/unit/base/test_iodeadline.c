/* iodeadline: what comes late, never, or in between signals. */
#include "base/iodeadline.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/wait.h"
#include "check.h"

#define SOON (30 * NS_PER_MS)
#define LATE (5000 * NS_PER_MS)

typedef ssize_t reader(void *ctx, char *buf, size_t len);

static void ignore(void *ctx) {
  (void)ctx;
}

static void on_alarm(int sig) {
  (void)sig;
}

/* What a child writes after a while, what never comes, and the end. */
static void reads(reader *read_some, int pair[2], const char *name) {
  struct iodeadline io = {.fd = pair[0], .when = mono_now() + LATE, .session = DEADLINE_NEVER};
  deadline began = mono_now();
  char buf[8] = "";

  if (fork() == 0) {
    wait_until(mono_now() + SOON);
    _exit(write(pair[1], "hello", 5) != 5);
  }
  CHECK_CASE(read_some(&io, buf, sizeof buf) == 5 && !memcmp(buf, "hello", 5), name);
  CHECK_CASE(mono_now() - began >= SOON && mono_now() < io.when, name);

  began = mono_now();
  io.when = began + SOON;
  errno = 0;
  CHECK_CASE(read_some(&io, buf, sizeof buf) == -1 && errno == ETIMEDOUT && mono_now() - began >= SOON, name);
  errno = 0;
  CHECK_CASE(read_some(&io, buf, sizeof buf) == -1 && errno == ETIMEDOUT, name); /* it is over */
  io.when = mono_now() + LATE;
  io.session = mono_now() + SOON;
  errno = 0;
  CHECK_CASE(read_some(&io, buf, sizeof buf) == -1 && errno == ETIMEDOUT && mono_now() < io.when, name);

  io.session = DEADLINE_NEVER;
  close(pair[1]);
  CHECK_CASE(read_some(&io, buf, sizeof buf) == 0, name);
  close(pair[0]);
}

static void each(reader *read_some, const char *name) {
  int pair[2];

  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  reads(read_some, pair, name);
  CHECK(pipe(pair) == 0);
  reads(read_some, pair, name);
}

/* A signal that is handled ends no wait. */
static void interrupted(void) {
  const struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
  const struct sigaction action = {.sa_handler = on_alarm};

  CHECK(sigaction(SIGALRM, &action, 0) == 0 && setitimer(ITIMER_REAL, &often, 0) == 0);
  each(iodeadline_answer, "interrupted");
  CHECK(setitimer(ITIMER_REAL, &never, 0) == 0);
}

int main(void) {
  int pair[2];

  each(iodeadline_read, "read");
  each(iodeadline_answer, "answer");
  interrupted();
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  wait_also(pair[0], ignore, 0);
  CHECK(!wait_for_one());
  each(iodeadline_answer, "there is something else to hear");
  wait_also(-1, 0, 0);
  CHECK(wait_for_one());
  return check_done();
}
