/* qqclient: see qqclient.h. */
#include "queue/qqclient.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/iodeadline.h"
#include "base/scan.h"
#include "base/spawn.h"
#include "base/wait.h"
#include "conf/paths.h"
#include "net/connect.h"
#include "queue/exitcodes.h"
#include "queue/extras.h"
#include "queue/queued_proto.h"

#define ERROR_TEXT_MAX 4096
#define TURN_US 50000 /* of a queue, when there are several: messages that come together share its sync */
#define ANSWER_SECONDS 600 /* a disk that is that slow is down */
#define ERROR_FD 3 /* in the child; told through $ERROR_FD */
#define WIDE 65536 /* what a pipe holds */

static const char *lookup(const struct env *env, const char *name) {
  const char *v = env_lookup(env, name);

  return v && *v ? v : 0;
}

/* The program and its arguments: qmail-nullqueue, $QMAILQUEUE split at blanks, or
 * qmail-queue.  words owns the text, argv points into it. */
#define ARGS 32
static int choose_program(const struct env *env, struct strlist *words, char *argv[ARGS + 1]) {
  const char *s = lookup(env, "QMAILQUEUE");
  stralloc path = STRALLOC_INIT;
  int ok = 1;

  if (env_lookup(env, "NULLQUEUE") || !s) {
    ok = paths_program(env_lookup(env, "NULLQUEUE") ? "qmail-nullqueue" : "qmail-queue", &path) &&
         strlist_add(words, path.s, path.len);
  } else {
    while (ok && *s) {
      size_t n = strcspn(s, " ");

      if (n && words->len < ARGS) ok = strlist_add(words, s, n);
      s += n;
      while (*s == ' ') ++s;
    }
  }
  stralloc_free(&path);
  for (size_t i = 0; i < words->len; ++i) argv[i] = words->item[i].s;
  argv[words->len] = 0;
  return ok && words->len;
}

int qqclient_takes_dsn(const struct env *env) {
  static const char *const names[] = {"qmail-queue", "qmail-multi", "qmail-nullqueue"};
  const char *program = lookup(env, "QMAILQUEUE");
  stralloc path = STRALLOC_INIT;
  int ours = !program;

  for (size_t i = 0; !ours && !lookup(env, "QUEUEPROG") && i < sizeof names / sizeof names[0]; ++i)
    ours = paths_program(names[i], &path) && stralloc_equals(&path, program);
  stralloc_free(&path);
  return ours;
}

const char *qqclient_in_vain(void) {
  struct env env = {0};
  struct strlist words = {0};
  char *argv[ARGS + 1];
  struct stat st;
  int vain = 0;

  if (env_import(&env) && lookup(&env, "QHPSI") && choose_program(&env, &words, argv))
    vain = stat(argv[0], &st) == 0 && st.st_mode & S_ISUID && st.st_uid != geteuid();
  strlist_free(&words);
  env_free(&env);
  return vain ? "QHPSI" : 0;
}

static void close_all(struct qqclient *q, int child[3]) {
  for (int i = 0; i < 3; ++i) fd_close(child[i]);
  q->message = fd_close(q->message);
  q->envelope = fd_close(q->envelope);
  q->error = fd_close(q->error);
}

static int make_pipes(struct qqclient *q, int child[3], struct strerr *e) {
  int p[2];

  q->message = q->envelope = q->error = child[0] = child[1] = child[2] = -1;
  if (fd_pipe(p) == -1) return strerr_sys(e, "unable to make a pipe", (char *)0);
  child[0] = p[0];
  q->message = p[1];
  if (fd_nonblock(p[1]) == -1 || fd_pipe(p) == -1) return strerr_sys(e, "unable to make a pipe", (char *)0);
  child[1] = p[0];
  q->envelope = p[1];
  if (fd_nonblock(p[1]) == -1 || fd_pipe(p) == -1) return strerr_sys(e, "unable to make a pipe", (char *)0);
  child[2] = p[1];
  q->error = p[0];
  return 0;
}

static int start(struct qqclient *q, const int child[3], struct strerr *e) {
  struct strlist words = {0};
  char *argv[ARGS + 1];
  struct spawn s = {.cwd = "/"};
  int r = -1;

  if (!choose_program(&q->env, &words, argv) || !env_setu64(&q->env, "ERROR_FD", ERROR_FD)) {
    errno = ENOMEM;
    strerr_sys(e, "unable to start the queue program", (char *)0);
  } else {
    s.path = argv[0];
    s.argv = argv;
    s.envp = env_vector(&q->env);
    spawn_move(&s, child[0], 0);
    spawn_move(&s, child[1], 1);
    spawn_move(&s, child[2], ERROR_FD);
    q->pid = s.envp ? spawn_start(&s, e) : -1;
    r = q->pid == -1 ? -1 : 0;
  }
  strlist_free(&words);
  return r;
}

/* The program may be slower than we are: it is waited for, never blocked on. */
static void write_to(struct qqclient *q, int fd) {
  q->io = (struct iodeadline){.fd = fd, .when = DEADLINE_NEVER, .session = DEADLINE_NEVER, .nonblock = 1};
  substdio_init(&q->ss, iodeadline_write, &q->io, q->wide ? q->wide : q->buf, q->wide ? WIDE : sizeof q->buf);
}

/* Starts the program and makes ss write its message. */
static int start_program(struct qqclient *q, struct strerr *e) {
  int child[3];
  int r = make_pipes(q, child, e);

  q->pid = 0;
  if (r == 0) r = start(q, child, e);
  if (r == -1) {
    close_all(q, child);
    q->pid = 0;
  } else {
    for (int i = 0; i < 3; ++i) fd_close(child[i]);
  }
  write_to(q, q->message);
  q->qp = (uint64_t)q->pid;
  return r;
}

/* Its id, in the environment too.  A program of the administrator's sees one even where nobody
 * gave one. */
static int name_message(struct qqclient *q, const char *messid) {
  if (messid && messid_valid(messid, strlen(messid))) memcpy(q->messid, messid, strlen(messid) + 1);
  else if (lookup(&q->env, "QMAILQUEUE")) messid_make(q->messid, (uint64_t)getpid());
  return *q->messid ? env_set(&q->env, "MESSID", q->messid) : env_unset(&q->env, "MESSID");
}

int qqclient_open(struct qqclient *q, const struct env *env, const char *messid, struct strerr *e) {
  memset(q, 0, offsetof(struct qqclient, buf));
  q->message = q->envelope = q->error = -1;
  if (!env_copy(&q->env, env)) return strerr_sys(e, "unable to start the queue program", (char *)0);
  q->keeping = !lookup(&q->env, "QMAILQUEUE") && !env_lookup(&q->env, "NULLQUEUE") &&
               !extras_in_environment(&q->env) &&
               (lookup(&q->env, "QUEUE_BASE") || !(lookup(&q->env, "QUEUE_COUNT") || lookup(&q->env, "QUEUE_START")));
  q->takes_dsn = qqclient_takes_dsn(&q->env);
  errno = ENOMEM;
  if (!name_message(q, messid)) return strerr_sys(e, "unable to start the queue program", (char *)0);
  if (q->keeping) return 0;
  return start_program(q, e);
}

/* The message is too long to be kept, or nobody takes it: on to the program. */
static void stop_keeping(struct qqclient *q) {
  struct strerr e;

  q->keeping = 0;
  if (!q->in_envelope) q->wide = malloc(WIDE);
  if (start_program(q, &e) == -1) q->failed = 1;
  if (!q->failed && substdio_put(&q->ss, stralloc_cstr(&q->kept_message), q->kept_message.len) == -1) q->failed = 1;
  if (!q->in_envelope) return;
  if (!q->failed && substdio_flush(&q->ss) == -1) q->failed = 1;
  q->message = fd_close(q->message);
  write_to(q, q->envelope);
  if (!q->failed && substdio_put(&q->ss, stralloc_cstr(&q->kept_envelope), q->kept_envelope.len) == -1) q->failed = 1;
}

static void keep(struct qqclient *q, const char *s, size_t n) {
  stralloc *to = q->in_envelope ? &q->kept_envelope : &q->kept_message;
  size_t max = q->in_envelope ? QUEUED_ENVELOPE_MAX : QUEUED_MESSAGE_MAX;

  if (to->len + n <= max && stralloc_catb(to, s, n)) return;
  stop_keeping(q);
  if (!q->failed && substdio_put(&q->ss, s, n) == -1) q->failed = 1;
}

void qqclient_put(struct qqclient *q, const char *s, size_t n) {
  if (q->failed) return;
  if (q->keeping) keep(q, s, n);
  else if (substdio_put(&q->ss, s, n) == -1) q->failed = 1;
}

void qqclient_puts(struct qqclient *q, const char *s) {
  qqclient_put(q, s, strlen(s));
}

void qqclient_fail(struct qqclient *q) {
  q->failed = 1;
}

/* One that only programs of ours know. */
static void put_record(struct qqclient *q, const char *type, const char *s, size_t n) {
  if (!n || !q->takes_dsn) return;
  qqclient_put(q, type, 1);
  qqclient_put(q, s, n);
  qqclient_put(q, "", 1);
}

void qqclient_from(struct qqclient *q, const char *sender, size_t n) {
  q->in_envelope = 1;
  if (!q->keeping) {
    if (!q->failed && substdio_flush(&q->ss) == -1) q->failed = 1;
    q->message = fd_close(q->message);
    write_to(q, q->envelope);
  }
  qqclient_put(q, "F", 1);
  qqclient_put(q, sender, n);
  qqclient_put(q, "", 1);
  if (q->keeping) put_record(q, "i", q->messid, strlen(q->messid)); /* others have $MESSID */
}

void qqclient_to(struct qqclient *q, const char *recipient, size_t n) {
  qqclient_put(q, "T", 1);
  qqclient_put(q, recipient, n);
  qqclient_put(q, "", 1);
}

void qqclient_from_dsn(struct qqclient *q, const char *s, size_t n) {
  put_record(q, "d", s, n);
}

void qqclient_to_dsn(struct qqclient *q, const char *s, size_t n) {
  put_record(q, "n", s, n);
}

/* --- the resident queue --- */

static uint64_t number(const struct env *env, const char *name, uint64_t otherwise) {
  const char *v = lookup(env, name);
  uint64_t u;

  return v && scan_u64_max(v, strlen(v), INT64_MAX, &u) ? u : otherwise;
}

/* The queue our environment names, or one of the collection it names; empty: the daemon
 * may choose. */
static int choose_queue(const struct env *env, stralloc *dir) {
  const char *one = lookup(env, "QUEUEDIR");
  const char *base = lookup(env, "QUEUE_BASE");
  uint64_t count = number(env, "QUEUE_COUNT", 5);

  if (one) return stralloc_copys(dir, one);
  if (!base || !count) return stralloc_copylit(dir, "");
  return stralloc_copys(dir, base) && stralloc_catlit(dir, "/queue") &&
         stralloc_catu64(dir, number(env, "QUEUE_START", 1) + (uint64_t)wall_now_us() / TURN_US % count);
}

/* All of it, as the other side takes it. */
static ssize_t send_parts(int fd, struct iovec *part, size_t n, size_t total) {
  deadline when = deadline_in(ANSWER_SECONDS);

  while (total) {
    ssize_t w = sendmsg(fd, &(struct msghdr){.msg_iov = part, .msg_iovlen = n}, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (w == -1 && errno == EINTR) continue;
    if (w == -1 && (errno != EAGAIN || wait_fd(fd, POLLOUT, when) == -1)) return -1;
    if (w == -1) continue;
    total -= (size_t)w;
    while (n && (size_t)w >= part->iov_len) {
      w -= (ssize_t)part->iov_len;
      ++part;
      --n;
    }
    if (!n) continue;
    part->iov_base = (char *)part->iov_base + w;
    part->iov_len -= (size_t)w;
  }
  return 0;
}

static int send_request(struct qqclient *q, int fd) {
  const char *hide = env_lookup(&q->env, "HIDE_HOST");
  stralloc dir = STRALLOC_INIT;
  struct queued_head h = {hide && strcmp(hide, "0"), number(&q->env, "MIN_FREE", 0), 0, q->kept_message.len,
                          q->kept_envelope.len};
  stralloc head = STRALLOC_INIT;
  struct iovec part[3];
  size_t total;
  ssize_t w = -1;

  if (!choose_queue(&q->env, &dir)) return -1;
  h.dir = dir.len;
  if (h.dir <= QUEUED_DIR_MAX && queued_head_format(&head, &h) && stralloc_cat(&head, &dir)) {
    part[0] = (struct iovec){head.s, head.len};
    part[1] = (struct iovec){q->kept_message.s, q->kept_message.len};
    part[2] = (struct iovec){q->kept_envelope.s, q->kept_envelope.len};
    total = head.len + h.message + h.envelope;
    w = send_parts(fd, part, 3, total);
  }
  stralloc_free(&head);
  stralloc_free(&dir);
  return w == -1 ? -1 : 0;
}

static int read_answer(int fd, int *code, uint64_t *id) {
  struct iodeadline io = {.fd = fd, .when = deadline_in(ANSWER_SECONDS), .session = DEADLINE_NEVER};
  char buf[QUEUED_HEAD_MAX];
  size_t have = 0;

  while (have < sizeof buf) {
    ssize_t n = iodeadline_answer(&io, buf + have, sizeof buf - have);

    if (n <= 0) return -1;
    have += (size_t)n;
    if (buf[have - 1] == '\n') return queued_answer_parse(buf, have - 1, code, id) ? 0 : -1;
  }
  return -1;
}

static int connect_queued(void) {
  stralloc path = STRALLOC_INIT;
  int fd = paths_file(PATH_RUN, QUEUED_SOCKET, &path) ? connect_unix(path.s, SOCK_STREAM) : -1;

  stralloc_free(&path);
  return fd;
}

/* A kept connection, or a new one.  The daemon says nothing unasked: one that is readable
 * is closed. */
static int get_connection(struct qqclient_pool *pool) {
  while (pool && pool->n) {
    int fd = pool->fd[--pool->n];
    char c;

    if (recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == -1 && errno == EAGAIN) return fd;
    fd_close(fd);
  }
  return connect_queued();
}

static void put_connection(struct qqclient_pool *pool, int fd) {
  if (pool && pool->n < QQCLIENT_IDLE) pool->fd[pool->n++] = fd;
  else fd_close(fd);
}

/* 1 answered, 0 nobody is there, or the daemon serves another collection: nothing was
 * handed over.  A connection that dies after the request is a failure, for the message
 * may have been queued. */
static int ask_queued(struct qqclient *q, int *code) {
  int fd = get_connection(q->pool);

  if (fd == -1) return 0;
  *code = QQ_connect_lost;
  if (send_request(q, fd) == 0 && read_answer(fd, code, &q->qp) == 0) put_connection(q->pool, fd);
  else fd_close(fd);
  return *code != QQ_chdir;
}

/* Text of the child: its first line, if that begins with D or Z. */
static int custom_text(const stralloc *said, struct qqresult *r) {
  size_t n = bytes_chr(said->s, said->len, '\n');

  if (n < 2 || (said->s[0] != 'D' && said->s[0] != 'Z')) return 0;
  r->verdict = said->s[0];
  return stralloc_copyb(&r->text, said->s + 1, n - 1);
}

static void interpret(struct qqresult *r, const stralloc *said, int failed) {
  const char *reply;

  if (r->code == QQ_custom && custom_text(said, r)) return;
  reply = exitcodes_reply(r->code);
  r->verdict = reply[0];
  if (failed && r->code == QQ_queued) r->verdict = 'Z'; /* cannot happen by the contract */
  if (!stralloc_copys(&r->text, reply + 1)) r->verdict = r->verdict == 'D' ? 'D' : r->verdict;
}

/* All it says, of which the beginning is kept. */
static void read_said(int fd, stralloc *said) {
  struct iodeadline io = {.fd = fd, .when = DEADLINE_NEVER, .session = DEADLINE_NEVER};
  char buf[512];
  ssize_t n;

  while ((n = iodeadline_read(&io, buf, sizeof buf)) > 0) {
    size_t room = ERROR_TEXT_MAX - said->len;

    if (!stralloc_catb(said, buf, (size_t)n < room ? (size_t)n : room)) return;
  }
}

static int wait_program(struct qqclient *q, stralloc *said) {
  int status;

  q->message = fd_close(q->message);
  q->envelope = fd_close(q->envelope);
  if (!q->pid) return QQ_fork;
  read_said(q->error, said);
  q->error = fd_close(q->error);
  if (wait_child(q->pid, DEADLINE_NEVER, &status) == -1) return QQ_wait;
  if (WIFSIGNALED(status)) return QQ_crashed;
  return WEXITSTATUS(status) == 127 ? QQ_exec : WEXITSTATUS(status);
}

int qqclient_close(struct qqclient *q, struct qqresult *r) {
  stralloc said = STRALLOC_INIT;

  memset(r, 0, sizeof *r);
  qqclient_put(q, "", 1); /* only a whole envelope gets its last NUL */
  if (q->keeping && q->failed) {
    r->code = QQ_read;
  } else if (!q->keeping || !ask_queued(q, &r->code)) {
    if (q->keeping) stop_keeping(q);
    if (!q->failed && substdio_flush(&q->ss) == -1) q->failed = 1;
    r->code = wait_program(q, &said);
  }
  interpret(r, &said, q->failed);
  stralloc_free(&said);
  stralloc_free(&q->kept_message);
  stralloc_free(&q->kept_envelope);
  env_free(&q->env);
  free(q->wide);
  q->wide = 0;
  return r->verdict == 'K' ? 0 : -1;
}

int qqclient_receipt(stralloc *out, uint64_t qp, const char *messid) {
  return stralloc_catlit(out, "ok ") && stralloc_catu64(out, (uint64_t)wall_now()) && stralloc_catlit(out, " qp ") &&
         stralloc_catu64(out, qp) && stralloc_catm(out, " id ", messid, (char *)0);
}

void qqresult_free(struct qqresult *r) {
  stralloc_free(&r->text);
}
