/* todo: see todo.h.
 *
 * qmail-queue announces a message by writing its id into lock/trigger.  When
 * announcements may have been lost (a full FIFO, a byte that is no id, a restart)
 * the info directories are read as a whole; the set of known ids keeps a message
 * from being handed over twice.  What a scan finds is handed over a slice at a time, new
 * messages first, with a look at the trigger in between: a long queue does not hold up
 * new mail. */
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
#include "conf/control_watch.h"
#include "conf/sandbox.h"
#include "conf/paths.h"
#include "queue/found.h"
#include "queue/transition.h"
#include "queue/waiting.h"
#include "send/idset.h"
#include "send/job.h"
#include "send/pipe_out.h"

#define FROM_SEND 0
#define TO_SEND 1
#define RESCAN_SECONDS 1500
#define TELL_SECONDS 1
#define TRIGGER_READ 65536
#define OUT_HIGH (1u << 18) /* stop handing over while so much waits in the pipe */
#define SLICE (5 * NS_PER_MS) /* so long we look at what a scan found; then at the trigger */

struct found {
  uint64_t id;
  int tried; /* it has marks */
};

struct todo {
  struct conf conf;
  struct loop loop;
  struct loop_io from_send, trigger;
  struct pipe_out out;
  struct loop_timer rescan, settings;
  struct idset known;
  struct idset told_of; /* those that cannot be read, which is in the log */
  struct found *waiting; /* by a scan, still to be handed over from waiting_next on */
  size_t waiting_n, waiting_a, waiting_next;
  uint64_t back; /* of the tried ones so many were handed over again */
  struct idset marked;   /* during a scan: those that have marks */
  struct envelope env;
  stralloc line, announced, routed, marks;
  ssize_t full; /* so many bytes at once in the trigger: some may not have fitted */
  int detached; /* qmail-send wants no messages now */
  int stale; /* the settings on disk are bad: new mail waits, it might be routed wrongly */
  struct control_watch watch;
  int tell;      /* lock/waiting */
  deadline told; /* it was written last */
  uint64_t stamp; /* newest change of the control files we route by */
  uint64_t scanned; /* queue_changed of the envelopes at the last scan */
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
    (void)!job_format_log(&t->out.buf, JOB_WARNING, text.s);
  stralloc_free(&text);
}

/* --- settings: reread when a control file has changed, so that a new domain needs
 * no signal --- */

static uint64_t newest_change(void) {
  static const char *const names[] = {"locals", "virtualdomains", "percenthack", "envnoathost", "me"};
  stralloc path = STRALLOC_INIT;
  uint64_t newest = 0;

  for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
    struct stat st;

    if (!paths_file(PATH_CONTROL, names[i], &path) || stat(path.s, &st) == -1) continue;
    newest += (uint64_t)st.st_mtim.tv_sec * NS_PER_S + (uint64_t)st.st_mtim.tv_nsec + st.st_ino;
  }
  stralloc_free(&path);
  return newest;
}

static int settings_changed(struct todo *t) {
  int changed = control_watch_changed(&t->watch);

  return t->stale || (changed && newest_change() != t->stamp);
}

static void on_more(void *ctx);

static int reread(struct todo *t) {
  struct conf fresh;
  struct strerr e;
  uint64_t stamp = newest_change();

  if (conf_load(&fresh, CONF_SEND, &e) == -1) {
    (void)!job_format_log(&t->out.buf, JOB_WARNING, e.text);
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

static int route_all(struct todo *t, struct job_writer *w) {
  struct route_table table = {conf_line(&t->conf, SET_envnoathost), conf_lines(&t->conf, SET_locals),
                              conf_lines(&t->conf, SET_percenthack), conf_lines(&t->conf, SET_virtualdomains)};

  for (size_t i = 0; i < t->env.recipients.len; ++i) {
    const stralloc *a = &t->env.recipients.item[i];
    enum channel channel;
    size_t notify_n;
    const char *notify = envelope_notify(&t->env, i, &notify_n);

    if (i < t->marks.len && t->marks.s[i] == 'D') continue;
    if (!route_address(&table, a->s, a->len, &t->routed, &channel)) return 0;
    job_recipient(w, channel, (uint32_t)i, stralloc_cstr(&t->routed), notify, notify_n);
  }
  return 1;
}

static int write_job(struct todo *t, uint64_t id, int64_t tried, int marks) {
  struct job_head h = {.id = id, .birth = t->env.birth, .size = t->env.size, .uid = t->env.uid, .qp = t->env.qp};
  struct job_writer w;

  h.tried = tried > 0 ? (uint64_t)tried : 0;
  h.marks = (uint64_t)marks;
  if (h.birth > INT64_MAX) h.birth = INT64_MAX;
  job_begin(&w, &t->out.buf, &h, &t->env.sender, &t->env.extra, &t->env.captured, &t->env.dsn, &t->env.messid);
  if (!route_all(t, &w)) w.ok = 0;
  return job_end(&w);
}

static void hand_over(struct todo *t, uint64_t id, enum queue_trust trust) {
  /* Its writer announces it, once, and what was there before is known: nobody can have tried it. */
  int is_new = trust == QUEUE_ANNOUNCED && !t->waiting_n && !idset_has(&t->told_of, id);
  int64_t tried = 0;
  int got;

  if (t->stale || t->detached || idset_has(&t->known, id)) return;
  got = queue_load(id, &t->env, trust);
  if (got == 0) return; /* not accepted, or gone already */
  stralloc_cut(&t->marks, 0);
  if (got == 1 && (is_new || queue_marks(id, &t->marks, &tried) == 0) && write_job(t, id, tried, !is_new)) {
    if (idset_add(&t->known, id) == -1) die(t, "out of memory");
    idset_remove(&t->told_of, id);
    t->back += trust == QUEUE_TRIED;
    return;
  }
  if (got == 1 || (errno != EPROTO && errno != EISDIR)) t->scanned = 0; /* it may be read in a while: the next look is a scan */
  if (!idset_has(&t->told_of, id)) {
    complain(t, "unable to read envelope", id);
    (void)!idset_add(&t->told_of, id); /* without memory it is told again */
  }
}

static void tell_back(struct todo *t) {
  stralloc text = STRALLOC_INIT;

  if (stralloc_catu64(&text, t->back) && stralloc_catlit(&text, " messages wait that were tried before"))
    (void)!job_format_log(&t->out.buf, JOB_INFO, text.s);
  stralloc_free(&text);
  t->back = 0;
}

static void hand_over_waiting(struct todo *t) {
  deadline until = mono_now() + SLICE;

  while (t->waiting_next < t->waiting_n && t->out.buf.len < OUT_HIGH) {
    const struct found *f = &t->waiting[t->waiting_next++];

    hand_over(t, f->id, f->tried ? QUEUE_TRIED : QUEUE_FOUND);
    if (mono_now() > until) break;
  }
  if (t->waiting_next == t->waiting_n) {
    t->waiting_next = t->waiting_n = 0;
    if (t->back) tell_back(t);
  }
  pipe_out_flush(&t->out);
}

/* For those who choose among queues: now and then, for they only compare. */
static void tell_waiting(struct todo *t) {
  deadline now = mono_now();

  if (now < t->told + TELL_SECONDS * NS_PER_S) return;
  t->told = now;
  waiting_put(t->tell, t->known.n + t->waiting_n - t->waiting_next);
}

/* Where a scan's findings wait for the pipe we look again soon. */
static void settle(struct todo *t) {
  int64_t wait;

  hand_over_waiting(t);
  tell_waiting(t);
  wait = !t->waiting_n ? (int64_t)RESCAN_SECONDS * NS_PER_S : t->out.buf.len < OUT_HIGH ? 0 : NS_PER_MS * 5;
  if (loop_timer_set(&t->loop, &t->rescan, mono_now() + wait, on_more, t) == -1) die(t, "out of memory");
}

static int collect_mark(void *ctx, uint64_t id) {
  struct todo *t = ctx;

  return idset_add(&t->marked, id) == -1 ? -1 : 0;
}

static int collect(void *ctx, uint64_t id) {
  struct todo *t = ctx;

  if (idset_has(&t->known, id)) return 0;
  if (t->waiting_n == t->waiting_a) {
    size_t a = t->waiting_a ? t->waiting_a * 2 : 256;
    struct found *w = reallocarray(t->waiting, a, sizeof *w);

    if (!w) return -1;
    t->waiting = w;
    t->waiting_a = a;
  }
  t->waiting[t->waiting_n++] = (struct found){id, idset_has(&t->marked, id)};
  return 0;
}

/* New ones before those that were tried, and the oldest first. */
static int by_need(const void *a, const void *b) {
  const struct found *x = a;
  const struct found *y = b;

  if (x->tried != y->tried) return x->tried - y->tried;
  return x->id < y->id ? -1 : x->id > y->id;
}

/* The marks are read before the envelopes, so that what has marks had them before. */
static void scan(struct todo *t) {
  t->waiting_n = t->waiting_next = 0;
  t->scanned = queue_changed(QUEUE_info);
  if (queue_walk(QUEUE_done, collect_mark, t) == -1 || queue_walk(QUEUE_info, collect, t) == -1) {
    complain(t, "unable to read directories info and done, will try again;", 0);
    t->waiting_n = 0;
  }
  idset_free(&t->marked);
  if (t->waiting_n) qsort(t->waiting, t->waiting_n, sizeof *t->waiting, by_need);
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
  if (settings_changed(t)) (void)!reread(t);
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

/* What was announced meanwhile is looked for. */
static void attach(struct todo *t) {
  t->detached = 0;
  scan(t);
}

static void obey(struct todo *t, const char *s, size_t n) {
  uint64_t id;

  if (n == 1 && s[0] == 'H') {
    (void)!reread(t);
    idset_free(&t->told_of);
  }
  else if (n == 1 && s[0] == 'S') scan(t);
  else if (n == 1 && s[0] == 'D') t->detached = 1;
  else if (n == 1 && s[0] == 'A') attach(t);
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
}

/* Not every announcement comes through a FIFO that somebody reads (a full one, a qmail-queue that was
 * killed in between): look for new control files now and then, and for messages where envelopes
 * came or went. */
static void on_interval(void *ctx) {
  struct todo *t = ctx;
  int64_t wait = (int64_t)conf_number(&t->conf, SET_todointerval);

  if (t->stale || newest_change() != t->stamp) (void)!reread(t);
  if (t->out.buf.len) pipe_out_flush(&t->out);
  tell_waiting(t);
  if (!t->waiting_n && !t->detached && queue_changed(QUEUE_info) != t->scanned) scan(t);
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
  control_watch_init(&t->watch);
  t->stamp = newest_change();
  if (conf_load(&t->conf, CONF_SEND, e) == -1) return -1;
  trigger = open_trigger(t);
  if (trigger == -1) return strerr_sys(e, "unable to open ", QUEUE_TRIGGER, (char *)0);
  if (loop_init(&t->loop) == -1 || pipe_out_init(&t->out, &t->loop, TO_SEND, lost, t) == -1 ||
      loop_io_add(&t->loop, &t->from_send, FROM_SEND, LOOP_READ, on_send, t) == -1 ||
      loop_io_add(&t->loop, &t->trigger, trigger, LOOP_READ, on_trigger, t) == -1)
    return strerr_sys(e, "unable to watch descriptors", (char *)0);
  t->tell = waiting_open();
  sandbox_start(SANDBOX_todo_proc, conf_flag(&t->conf, SET_sandbox), 0, "todo-proc: ");
  scan(t);
  on_interval(t);
  if (loop_run(&t->loop) == -1) return strerr_sys(e, "unable to wait for events", (char *)0);
  return t->code;
}
