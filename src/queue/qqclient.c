/* qqclient: see qqclient.h. */
#include "queue/qqclient.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/spawn.h"
#include "conf/paths.h"
#include "queue/exitcodes.h"

#define ERROR_TEXT_MAX 4096
#define ERROR_FD 3 /* in the child; told through $ERROR_FD */

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
  if (fd_pipe(p) == -1) return strerr_sys(e, "unable to make a pipe", (char *)0);
  child[1] = p[0];
  q->envelope = p[1];
  if (fd_pipe(p) == -1) return strerr_sys(e, "unable to make a pipe", (char *)0);
  child[2] = p[1];
  q->error = p[0];
  return 0;
}

static int start(struct qqclient *q, struct env *env, const int child[3], struct strerr *e) {
  struct strlist words = {0};
  char *argv[ARGS + 1];
  struct spawn s = {.cwd = "/"};
  int r = -1;

  if (!choose_program(env, &words, argv) || !env_setu64(env, "ERROR_FD", ERROR_FD)) {
    errno = ENOMEM;
    strerr_sys(e, "unable to start the queue program", (char *)0);
  } else {
    s.path = argv[0];
    s.argv = argv;
    s.envp = env_vector(env);
    spawn_move(&s, child[0], 0);
    spawn_move(&s, child[1], 1);
    spawn_move(&s, child[2], ERROR_FD);
    q->pid = s.envp ? spawn_start(&s, e) : -1;
    r = q->pid == -1 ? -1 : 0;
  }
  strlist_free(&words);
  return r;
}

int qqclient_open(struct qqclient *q, struct env *env, struct strerr *e) {
  struct env own = {0};
  int child[3];
  int r;

  memset(q, 0, offsetof(struct qqclient, buf));
  if (!env) {
    if (!env_import(&own)) return strerr_sys(e, "unable to start the queue program", (char *)0);
    env = &own;
  }
  r = make_pipes(q, child, e);
  if (r == 0) r = start(q, env, child, e);
  if (r == -1) close_all(q, child);
  else
    for (int i = 0; i < 3; ++i) fd_close(child[i]);
  substdio_initfd_write(&q->ss, q->message, q->buf, sizeof q->buf);
  env_free(&own);
  return r;
}

void qqclient_put(struct qqclient *q, const char *s, size_t n) {
  if (!q->failed && substdio_put(&q->ss, s, n) == -1) q->failed = 1;
}

void qqclient_puts(struct qqclient *q, const char *s) {
  qqclient_put(q, s, strlen(s));
}

void qqclient_fail(struct qqclient *q) {
  q->failed = 1;
}

void qqclient_from(struct qqclient *q, const char *sender, size_t n) {
  if (!q->failed && substdio_flush(&q->ss) == -1) q->failed = 1;
  q->message = fd_close(q->message);
  substdio_initfd_write(&q->ss, q->envelope, q->buf, sizeof q->buf);
  qqclient_put(q, "F", 1);
  qqclient_put(q, sender, n);
  qqclient_put(q, "", 1);
}

void qqclient_to(struct qqclient *q, const char *recipient, size_t n) {
  qqclient_put(q, "T", 1);
  qqclient_put(q, recipient, n);
  qqclient_put(q, "", 1);
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

int qqclient_close(struct qqclient *q, struct qqresult *r) {
  stralloc said = STRALLOC_INIT;
  int status;

  memset(r, 0, sizeof *r);
  /* Only a whole envelope gets the last NUL: without it the child gives up. */
  if (!q->failed) {
    qqclient_put(q, "", 1);
    if (!q->failed && substdio_flush(&q->ss) == -1) q->failed = 1;
  }
  q->message = fd_close(q->message);
  q->envelope = fd_close(q->envelope);
  (void)!fd_slurp(q->error, &said, ERROR_TEXT_MAX);
  q->error = fd_close(q->error);
  status = spawn_wait(q->pid);
  if (status == -1) r->code = QQ_wait;
  else if (WIFSIGNALED(status)) r->code = QQ_crashed;
  else r->code = WEXITSTATUS(status) == 127 ? QQ_exec : WEXITSTATUS(status);
  interpret(r, &said, q->failed);
  stralloc_free(&said);
  return r->verdict == 'K' ? 0 : -1;
}

void qqresult_free(struct qqresult *r) {
  stralloc_free(&r->text);
}
