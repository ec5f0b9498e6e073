/* todo: see todo.h.
 *
 * qmail-queue announces a message by writing its id into lock/trigger.  When
 * announcements may have been lost (a full FIFO, a byte that is no id, a restart)
 * the info directories are read as a whole; the set of known ids keeps a message
 * from being handed over twice. */
#include "send/todo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/fmt.h"
#include "base/loop.h"
#include "base/scan.h"
#include "base/sigfd.h"
#include "conf/conf.h"
#include "conf/paths.h"
#include "queue/transition.h"
#include "queue/waiting.h"
#include "send/idset.h"
#include "send/job.h"
#include "send/pipe_out.h"

#define FROM_SEND 0
#define TO_SEND 1
#define RESCAN_SECONDS 1500
#define TRIGGER_READ 65536
#define OUT_HIGH (1u << 20) /* stop handing over while so much waits in the pipe */
#define BATCH 200

struct todo {
  struct conf conf;
  struct loop loop;
  struct loop_io from_send, trigger;
  struct pipe_out out;
  struct loop_timer rescan, settings;
  struct idset known;
  uint64_t *waiting; /* ids found by a scan, still to be handed over */
  size_t waiting_n, waiting_a;
  struct envelope env;
  stralloc line, announced, routed, marks;
  ssize_t full; /* so many bytes at once in the trigger: some may not have fitted */
  int stale; /* the settings on disk are bad: new mail waits, it might be routed wrongly */
  int64_t stamp; /* newest change of the control files we route by */
  int tell; /* lock/waiting */
  struct strerr *e;
  int code;
};

static void die(struct todo *t, const char *what) {
  t->code = strerr_set(t->e, what, (char *)0);
  loop_stop(&t->loop);
}

static void lost(void *ctx) {
  struct todo *t = ctx;

  loop_stop(&t->loop);
}

static void complain(struct todo *t, const char *what, uint64_t id) {
  char number[FMT_U64 + 1];
  stralloc text = STRALLOC_INIT;

  if (stralloc_catm(&text, what, " ", fmt_u64_z(number, id), ": ", strerror(errno), (char *)0))
    (void)!job_format_log(&t->out.buf, text.s);
  stralloc_free(&text);
}

/* --- settings: reread when a control file has changed, so that a new domain needs
 * no signal --- */

static int64_t newest_change(void) {
  static const char *const names[] = {"locals", "virtualdomains", "percenthack", "envnoathost", "me"};
  stralloc path = STRALLOC_INIT;
  int64_t newest = 0;

  for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
    struct stat st;

    if (!paths_file(PATH_CONTROL, names[i], &path) || stat(path.s, &st) == -1) continue;
    newest += (int64_t)st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec + (int64_t)st.st_ino;
  }
  stralloc_free(&path);
  return newest;
}

static void on_more(void *ctx);

static int reread(struct todo *t) {
  struct conf fresh;
  struct strerr e;
  int64_t stamp = newest_change();

  if (conf_load(&fresh, CONF_SEND, &e) == -1) {
    (void)!job_format_log(&t->out.buf, e.text);
    conf_free(&fresh);
    t->stale = 1;
    return -1;
  }
  conf_free(&t->conf);
  t->conf = fresh;
  t->stamp = stamp;
  /* What came meanwhile is looked for at once. */
  if (t->stale && loop_timer_set(&t->loop, &t->rescan, mono_now(), on_more, t) == -1) die(t, "out of memory");
  t->stale = 0;
  return 0;
}

/* --- handing over --- */

static int route_all(struct todo *t, struct message *m) {
  struct route_table table = {conf_line(&t->conf, SET_envnoathost), conf_lines(&t->conf, SET_locals),
                              conf_lines(&t->conf, SET_percenthack), conf_lines(&t->conf, SET_virtualdomains)};

  for (size_t i = 0; i < t->env.recipients.len; ++i) {
    const stralloc *a = &t->env.recipients.item[i];
    enum channel channel;
    size_t notify_n;
    const char *notify = envelope_notify(&t->env, i, &notify_n);

    if (i < t->marks.len && t->marks.s[i] == 'D') continue;
    if (!route_address(&table, a->s, a->len, &t->routed, &channel) ||
        !message_add_recipient(m, channel, (uint32_t)i, t->routed.s, 0) || !message_set_notify(m, notify, notify_n))
      return 0;
  }
  return 1;
}

static int build(struct todo *t, uint64_t id, struct message *m) {
  m->id = id;
  m->birth = t->env.birth;
  m->size = t->env.size;
  m->uid = t->env.uid;
  m->qp = t->env.qp;
  return stralloc_copy(&m->sender, &t->env.sender) && stralloc_copy(&m->extra, &t->env.extra) &&
         stralloc_copy(&m->captured, &t->env.captured) &&
         stralloc_copy(&m->dsn, &t->env.dsn) && route_all(t, m);
}

static void hand_over(struct todo *t, uint64_t id, enum queue_trust trust) {
  struct message *m;
  int got;

  if (t->stale || idset_has(&t->known, id)) return;
  got = queue_load(id, &t->env, trust);
  if (got == 0) return; /* not accepted, or gone already */
  m = got == 1 ? message_new() : 0;
  if (got == 1 && m && queue_marks(id, &t->marks, &m->tried) == 0 && build(t, id, m) && job_format(&t->out.buf, m)) {
    if (idset_add(&t->known, id) == -1) die(t, "out of memory");
  } else {
    complain(t, "unable to read envelope", id);
  }
  message_free(m);
}

static void hand_over_waiting(struct todo *t) {
  size_t done = 0;

  while (done < t->waiting_n && t->out.buf.len < OUT_HIGH) hand_over(t, t->waiting[done++], QUEUE_FOUND);
  t->waiting_n -= done;
  if (done) memmove(t->waiting, t->waiting + done, t->waiting_n * sizeof *t->waiting);
  pipe_out_flush(&t->out);
}

/* For those who choose among queues. */
static void tell_waiting(struct todo *t) {
  waiting_put(t->tell, t->known.n + t->waiting_n);
}

/* While a scan's findings wait for the pipe we look again soon. */
static void settle(struct todo *t) {
  int64_t wait;

  hand_over_waiting(t);
  tell_waiting(t);
  wait = t->waiting_n ? NS_PER_MS * 10 : (int64_t)RESCAN_SECONDS * NS_PER_S;
  if (loop_timer_set(&t->loop, &t->rescan, mono_now() + wait, on_more, t) == -1) die(t, "out of memory");
}

static int collect(void *ctx, uint64_t id) {
  struct todo *t = ctx;

  if (idset_has(&t->known, id)) return 0;
  if (t->waiting_n == t->waiting_a) {
    size_t a = t->waiting_a ? t->waiting_a * 2 : 256;
    uint64_t *w = reallocarray(t->waiting, a, sizeof *w);

    if (!w) return -1;
    t->waiting = w;
    t->waiting_a = a;
  }
  t->waiting[t->waiting_n++] = id;
  return 0;
}

static int by_age(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a;
  uint64_t y = *(const uint64_t *)b;

  return x < y ? -1 : x > y;
}

static void scan(struct todo *t) {
  t->waiting_n = 0;
  if (queue_walk(QUEUE_info, collect, t) == -1) {
    complain(t, "unable to read directory info, will try again;", 0);
    t->waiting_n = 0;
  }
  if (t->waiting_n) qsort(t->waiting, t->waiting_n, sizeof *t->waiting, by_age); /* the oldest first */
  settle(t);
}

static void on_more(void *ctx) {
  struct todo *t = ctx;

  if (t->waiting_n) settle(t);
  else scan(t);
}

/* --- announcements --- */

static void on_trigger(void *ctx, int fd, unsigned events) {
  struct todo *t = ctx;
  char buf[TRIGGER_READ];
  ssize_t n = read(fd, buf, sizeof buf);
  int lost_some = n >= t->full;
  size_t start = 0;

  (void)events;
  if (n <= 0) return;
  if (t->stale || newest_change() != t->stamp) (void)!reread(t);
  if (!stralloc_catb(&t->announced, buf, (size_t)n)) die(t, "out of memory");
  for (;;) {
    size_t len = bytes_chr(t->announced.s + start, t->announced.len - start, '\n');
    uint64_t id;

    if (start + len == t->announced.len) break;
    if (queuepath_id(t->announced.s + start, len, &id)) hand_over(t, id, QUEUE_ANNOUNCED);
    else lost_some = 1;
    start += len + 1;
  }
  stralloc_shift(&t->announced, start);
  if (t->announced.len > 64) { /* not one of ours: a classic one-byte pull, or garbage */
    stralloc_cut(&t->announced, 0);
    lost_some = 1;
  }
  tell_waiting(t);
  if (lost_some) scan(t);
  else pipe_out_flush(&t->out);
}

/* --- orders of qmail-send --- */

static void obey(struct todo *t, const char *s, size_t n) {
  uint64_t id;

  if (n == 1 && s[0] == 'H') (void)!reread(t);
  else if (n == 1 && s[0] == 'S') scan(t);
  else if (n > 2 && s[0] == 'F' && scan_u64(s + 2, n - 2, &id)) idset_remove(&t->known, id);
}

static void on_send(void *ctx, int fd, unsigned events) {
  struct todo *t = ctx;
  char buf[4096];
  ssize_t n = read(fd, buf, sizeof buf);
  size_t start = 0;

  (void)events;
  if (n == -1 && (errno == EINTR || errno == EAGAIN)) return;
  if (n <= 0) {
    loop_stop(&t->loop);
    return;
  }
  if (!stralloc_catb(&t->line, buf, (size_t)n)) die(t, "out of memory");
  for (;;) {
    size_t len = bytes_chr(t->line.s + start, t->line.len - start, '\n');

    if (start + len == t->line.len) break;
    obey(t, t->line.s + start, len);
    start += len + 1;
  }
  stralloc_shift(&t->line, start);
  tell_waiting(t);
}

/* Not every announcement comes through a FIFO that somebody reads (a full one, a
 * queue filled while we were away for a moment): look for new control files and
 * for messages now and then. */
static void on_interval(void *ctx) {
  struct todo *t = ctx;
  int64_t wait = (int64_t)conf_number(&t->conf, SET_todointerval);

  if (t->stale || newest_change() != t->stamp) (void)!reread(t);
  if (t->out.buf.len) pipe_out_flush(&t->out);
  if (wait < 1) wait = 10;
  if (loop_timer_set(&t->loop, &t->settings, deadline_in(wait), on_interval, t) == -1) die(t, "out of memory");
}

static int open_trigger(struct todo *t) {
  /* Read and write: with a writer of our own the FIFO never reports its end. */
  int fd = open(QUEUE_TRIGGER, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  int size = fd == -1 ? -1 : fcntl(fd, F_GETPIPE_SZ);

  if (size <= 0 || size > TRIGGER_READ) size = TRIGGER_READ;
  /* The system splits no announcement over two pages, so it refuses more a little
   * before the size is reached. */
  t->full = size - size / 16;
  return fd;
}

int todo_run(struct strerr *e) {
  struct todo *t = calloc(1, sizeof *t);
  int trigger;

  if (!t) return strerr_sys(e, "unable to start", (char *)0);
  t->e = e;
  sig_ignore_pipe();
  t->stamp = newest_change();
  if (conf_load(&t->conf, CONF_SEND, e) == -1) return -1;
  trigger = open_trigger(t);
  if (trigger == -1) return strerr_sys(e, "unable to open ", QUEUE_TRIGGER, (char *)0);
  if (loop_init(&t->loop) == -1 || pipe_out_init(&t->out, &t->loop, TO_SEND, lost, t) == -1 ||
      loop_io_add(&t->loop, &t->from_send, FROM_SEND, LOOP_READ, on_send, t) == -1 ||
      loop_io_add(&t->loop, &t->trigger, trigger, LOOP_READ, on_trigger, t) == -1)
    return strerr_sys(e, "unable to watch descriptors", (char *)0);
  t->tell = waiting_open();
  on_interval(t);
  scan(t);
  if (loop_run(&t->loop) == -1) return strerr_sys(e, "unable to wait for events", (char *)0);
  return t->code;
}
