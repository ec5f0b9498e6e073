/* residents: see residents.h. */
#include "super/residents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/spawn.h"
#include "net/fdpass.h"
#include "net/resident.h"

#define AGAIN_S 1 /* between two starts of a server that dies */

struct resident_process {
  struct residents *of;
  pid_t pid; /* 0: not running */
  int sock;
  size_t connections;
  struct loop_io io;
  struct loop_timer again;
};

static void close_socket(struct resident_process *p) {
  loop_io_remove(p->of->loop, &p->io);
  p->sock = fd_close(p->sock);
}

/* Numbers of connections that are over.  A server that talks nonsense is not believed:
 * the end of its socket ends it. */
static void on_answer(void *ctx, int fd, unsigned events) {
  struct resident_process *p = ctx;
  char buf[RESIDENT_MESSAGE_MAX];
  ssize_t n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
  size_t pos = 0;
  uint64_t number;
  int got = 0;

  (void)events;
  if (n == -1 && (errno == EAGAIN || errno == EINTR)) return;
  while (n > 0 && (got = resident_next_over(buf, (size_t)n, &pos, &number)) == 1) {
    if (p->connections) p->connections--;
    p->of->over(p->of->ctx, (size_t)(p - p->of->process), number);
  }
  if (n <= 0 || got == -1) close_socket(p);
  p->of->heard(p->of->ctx);
}

static int start(struct resident_process *p, struct strerr *e) {
  struct residents *r = p->of;
  struct spawn s = {.path = r->command[0], .argv = r->command, .envp = r->envp};
  int pair[2];

  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) return strerr_sys(e, "unable to make a socket", (char *)0);
  spawn_move(&s, pair[1], 0);
  spawn_move(&s, pair[1], 1);
  p->pid = spawn_start(&s, e);
  fd_close(pair[1]);
  p->sock = pair[0];
  p->connections = 0;
  if (p->pid == -1) {
    p->pid = 0;
    p->sock = fd_close(p->sock);
    return -1;
  }
  if (fd_nonblock(p->sock) == 0 && loop_io_add(r->loop, &p->io, p->sock, LOOP_READ, on_answer, p) == 0) return 0;
  strerr_sys(e, "unable to watch a server", (char *)0);
  p->sock = fd_close(p->sock);
  return -1;
}

static void start_again(void *ctx) {
  struct resident_process *p = ctx;
  struct strerr e;

  if (start(p, &e) == 0) return;
  p->of->complain(p->of->ctx, &e);
  if (!p->pid) (void)!loop_timer_set(p->of->loop, &p->again, deadline_in(AGAIN_S), start_again, p);
}

static int make_command(struct residents *r) {
  size_t n = 0;

  while (r->argv[n]) ++n;
  r->command = calloc(n + 2, sizeof *r->command);
  if (!r->command) return 0;
  r->command[0] = r->argv[0];
  r->command[1] = (char *)(uintptr_t) "-W";
  memcpy(r->command + 2, r->argv + 1, n * sizeof *r->argv);
  return 1;
}

int residents_start(struct residents *r, size_t n, struct strerr *e) {
  r->process = calloc(n, sizeof *r->process);
  if (!r->process || !make_command(r)) return strerr_sys(e, "unable to start servers", (char *)0);
  r->n = n;
  for (size_t i = 0; i < n; ++i) {
    r->process[i].of = r;
    r->process[i].sock = -1;
    if (start(&r->process[i], e) == -1) return -1;
  }
  return 0;
}

/* The one with the fewest connections that is not in tried. */
static struct resident_process *least(struct residents *r, uint64_t tried) {
  struct resident_process *best = 0;

  for (size_t i = 0; i < r->n; ++i) {
    struct resident_process *p = &r->process[i];

    if (p->sock == -1 || tried >> i & 1) continue;
    if (!best || p->connections < best->connections) best = p;
  }
  return best;
}

int residents_hand(struct residents *r, const stralloc *message, int fd) {
  struct resident_process *p;
  uint64_t tried = 0;

  while ((p = least(r, tried)) != 0) {
    size_t i = (size_t)(p - r->process);

    if (fdpass_send(p->sock, message->s, message->len, &fd, 1) == 0) {
      p->connections++;
      return (int)i;
    }
    if (errno != EAGAIN) close_socket(p); /* it is gone, and will be reaped */
    tried |= UINT64_C(1) << i;
  }
  return -1;
}

int residents_ended(struct residents *r, pid_t pid) {
  for (size_t i = 0; i < r->n; ++i) {
    struct resident_process *p = &r->process[i];

    if (p->pid != pid) continue;
    close_socket(p);
    p->pid = 0;
    r->lost(r->ctx, i);
    (void)!loop_timer_set(r->loop, &p->again, deadline_in(AGAIN_S), start_again, p);
    return 1;
  }
  return 0;
}

void residents_free(struct residents *r) {
  for (size_t i = 0; i < r->n; ++i)
    if (r->process[i].sock != -1) close_socket(&r->process[i]);
  free(r->process);
  free(r->command);
  r->n = 0;
}
