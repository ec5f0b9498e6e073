/* spawner: see spawner.h. */
#include "send/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/loop.h"
#include "base/sigfd.h"
#include "conf/conf.h"
#include "queue/queuepath.h"

#define ELSEWHERE (-1)

struct spawner_slot {
  struct run *run;
  uint16_t delivery;
  size_t recipients;
  pid_t pid;    /* 0 once it is over; ELSEWHERE while somebody else runs it */
  pid_t leader; /* of the process group that does it */
  int status;
  int late; /* it took too long and was killed */
  int fd;   /* its output; -1 at the end of it, or without a pipe */
  int outfd; /* the other end, while it is being started */
  stralloc output;
  struct loop_io io;
  struct loop_timer limit;
  struct spawner_slot *next;
};

struct run {
  const struct spawner *s;
  struct loop loop;
  struct loop_io in, sig;
  int sigfd;
  int64_t timeout; /* seconds for one delivery; 0: as long as it takes */
  int ended; /* fd 0 is at its end */
  int code;
  struct spawn_reader reader;
  struct spawner_slot *slots;
};

static void stop(struct run *r, int code) {
  r->code = code;
  loop_stop(&r->loop);
}

static void send_reports(struct run *r, stralloc *out) {
  if (fd_write_all(1, out->s, out->len) == -1) stop(r, 111);
  stralloc_free(out);
}

/* The same for each of n recipients. */
static void report(struct run *r, uint16_t delivery, size_t n, char result, const stralloc *text) {
  stralloc out = STRALLOC_INIT;

  for (size_t i = 0; i < n; ++i)
    if (!spawn_report_format(&out, delivery, result, stralloc_cstr(text), text->len)) stop(r, 111);
  send_reports(r, &out);
}

static int judge(const struct spawner_slot *slot, size_t i, char *result, stralloc *text) {
  const struct spawner *s = slot->run->s;

  *result = 'Z';
  if (slot->late) return stralloc_copylit(text, "The delivery took too long and was ended. (#4.4.7)\n") ? 0 : -1;
  stralloc_cut(text, 0);
  return s->judge(s->ctx, slot->status, &slot->output, i, slot->recipients, result, text);
}

static void report_over(struct spawner_slot *slot) {
  struct run *r = slot->run;
  stralloc out = STRALLOC_INIT;
  stralloc text = STRALLOC_INIT;

  for (size_t i = 0; i < slot->recipients; ++i) {
    char result;

    if (judge(slot, i, &result, &text) == -1 || !spawn_report_format(&out, slot->delivery, result, stralloc_cstr(&text), text.len))
      stop(r, 111);
  }
  stralloc_free(&text);
  send_reports(r, &out);
}

static void unlink_slot(struct run *r, struct spawner_slot *slot) {
  struct spawner_slot **p = &r->slots;

  while (*p != slot) p = &(*p)->next;
  *p = slot->next;
}

static void close_output(struct spawner_slot *slot) {
  loop_io_remove(&slot->run->loop, &slot->io);
  slot->fd = fd_close(slot->fd);
}

static void free_slot(struct spawner_slot *slot) {
  loop_timer_cancel(&slot->run->loop, &slot->limit);
  close_output(slot);
  fd_close(slot->outfd);
  unlink_slot(slot->run, slot);
  stralloc_free(&slot->output);
  free(slot);
}

/* A delivery is over when its process is reaped and its output is at an end. */
static void finish_if_over(struct spawner_slot *slot) {
  struct run *r = slot->run;

  if (slot->pid || slot->fd != -1) return;
  report_over(slot);
  free_slot(slot);
  if (r->ended && !r->slots) stop(r, r->code);
}

static void read_output(void *ctx, int fd, unsigned events) {
  struct spawner_slot *slot = ctx;
  char buf[4096];
  ssize_t n = read(fd, buf, sizeof buf);

  (void)events;
  if (n == -1 && (errno == EINTR || errno == EAGAIN)) return;
  if (n > 0) {
    if (!spawner_output(slot, buf, (size_t)n)) stop(slot->run, 111);
    return;
  }
  close_output(slot);
  finish_if_over(slot);
}

/* Time is up: for the process and all it started, or, when only somebody who still holds the
 * pipe is left, for the pipe. */
static void too_long(void *ctx) {
  struct spawner_slot *slot = ctx;

  if (slot->pid) {
    slot->late = 1;
    if (slot->leader > 0) kill(-slot->leader, SIGKILL);
  }
  close_output(slot);
  finish_if_over(slot);
}

/* More than the limit is dropped: the writer must not block. */
int spawner_output(struct spawner_slot *slot, const char *s, size_t n) {
  size_t room = slot->run->s->output_max * slot->recipients - slot->output.len;

  return stralloc_catb(&slot->output, s, n < room ? n : room);
}

const stralloc *spawner_printed(const struct spawner_slot *slot) {
  return &slot->output;
}

int spawner_pipe(struct spawner_slot *slot) {
  int p[2];

  if (fd_pipe(p) == -1) return -1;
  slot->fd = p[0];
  slot->outfd = p[1];
  return p[1];
}

void spawner_elsewhere(struct spawner_slot *slot, pid_t pid) {
  slot->leader = pid;
}

void spawner_over(struct spawner_slot *slot, int status) {
  slot->pid = 0;
  slot->status = status;
  finish_if_over(slot);
}

static void reap(struct run *r) {
  int status;
  pid_t pid;

  while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
    for (struct spawner_slot *slot = r->slots; slot; slot = slot->next)
      if (slot->pid == pid) {
        spawner_over(slot, status);
        break;
      }
}

static void on_signal(void *ctx, int fd, unsigned events) {
  struct run *r = ctx;

  (void)events;
  while (sigfd_next(fd) > 0) {
  }
  reap(r);
}

/* The message file: ours, a plain file (to which O_NONBLOCK means nothing), opened for reading. */
static int open_message(uint64_t id, stralloc *text) {
  char path[QUEUE_PATH];
  struct stat st;
  int fd;

  queuepath(path, QUEUE_mess, id);
  fd = fd_open_read(path);
  if (fd != -1 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) return fd;
  if (!stralloc_catm(text, "Unable to open message ", path, ": ", strerror(errno), ". (#4.3.0)\n", (char *)0))
    stralloc_cut(text, 0);
  return fd_close(fd);
}

/* The slot joins the list before it starts, for a delivery may be over at once. */
static struct spawner_slot *new_slot(struct run *r, const struct spawn_command *c) {
  struct spawner_slot *slot = calloc(1, sizeof *slot);

  if (!slot) return 0;
  slot->run = r;
  slot->delivery = c->delivery;
  slot->recipients = c->n;
  slot->pid = ELSEWHERE;
  slot->fd = -1;
  slot->outfd = -1;
  slot->next = r->slots;
  r->slots = slot;
  return slot;
}

/* It runs: wait for its output and its end. */
static int watch(struct run *r, struct spawner_slot *slot, pid_t pid) {
  if (pid != SPAWNER_ELSEWHERE) {
    slot->pid = pid;
    slot->leader = pid;
  }
  slot->outfd = fd_close(slot->outfd);
  if (r->timeout && loop_timer_set(&r->loop, &slot->limit, deadline_in(r->timeout), too_long, slot) == -1) return -1;
  return slot->fd == -1 ? 0 : loop_io_add(&r->loop, &slot->io, slot->fd, LOOP_READ, read_output, slot);
}

static void begin(struct run *r, const struct spawn_command *c) {
  stralloc text = STRALLOC_INIT;
  struct spawner_slot *slot = 0;
  char result = 'Z';
  int mess = open_message(c->id, &text);
  pid_t pid = -1;

  if (mess != -1 && !(slot = new_slot(r, c))) (void)!stralloc_copylit(&text, "Out of memory. (#4.3.0)\n");
  if (slot) pid = r->s->start(r->s->ctx, slot, c, mess, &result, &text);
  fd_close(mess);
  if (pid == -1) {
    report(r, c->delivery, c->n, result, &text);
    if (slot) free_slot(slot);
  } else if (watch(r, slot, pid) == -1) {
    stop(r, 111);
  }
  stralloc_free(&text);
}

static void read_commands(void *ctx, int fd, unsigned events) {
  struct run *r = ctx;
  struct spawn_command c;
  char buf[16384];
  ssize_t n = read(fd, buf, sizeof buf);
  int got;

  (void)events;
  if (n == -1 && (errno == EINTR || errno == EAGAIN)) return;
  if (n <= 0) {
    loop_io_remove(&r->loop, &r->in);
    r->ended = 1;
    if (!r->slots) stop(r, r->code);
    return;
  }
  if (!spawn_reader_add(&r->reader, buf, (size_t)n)) {
    stop(r, 111);
    return;
  }
  while ((got = spawn_command_take(&r->reader, &c)) == 1) begin(r, &c);
  if (got == -1) {
    strerr_warnm(r->s->name, ": fatal: malformed command", (char *)0);
    stop(r, 111);
  }
}

static int load_timeout(struct run *r) {
  struct conf conf;
  struct strerr e;
  int loaded = conf_load(&conf, CONF_SEND, &e);

  if (loaded == -1) strerr_warnm(r->s->name, ": fatal: ", e.text, (char *)0);
  else r->timeout = (int64_t)conf_number(&conf, SET_deliverytimeout);
  conf_free(&conf);
  return loaded;
}

int spawner_run(const struct spawner *s) {
  static const char limit[2] = {(char)(SPAWN_LIMIT & 255), (char)(SPAWN_LIMIT >> 8)};
  struct run r;

  memset(&r, 0, sizeof r);
  r.s = s;
  sig_ignore_pipe();
  if (load_timeout(&r) == -1 || fd_write_all(1, limit, sizeof limit) == -1 || loop_init(&r.loop) == -1) return 111;
  r.sigfd = sigfd_open(SIGCHLD, 0);
  if (r.sigfd == -1 || loop_io_add(&r.loop, &r.sig, r.sigfd, LOOP_READ, on_signal, &r) == -1 ||
      loop_io_add(&r.loop, &r.in, 0, LOOP_READ, read_commands, &r) == -1)
    return 111;
  if (s->ready) s->ready(s->ctx, &r.loop);
  if (loop_run(&r.loop) == -1) return 111;
  return r.code;
}
