/* auth_program: the program that knows the passwords: see auth.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/spawn.h"
#include "base/wait.h"
#include "smtp/auth.h"

#define CHECKPASSWORD_MAX 512 /* what its contract lets us send */
#define INPUT_FD 3
#define ANSWER_FD 6
#define ANSWER_MAX 256
#define PROGRAM_SECONDS 120

/* What the program may need to find its way and to log who asked. */
static const char *const passed[] = {
    "PATH", "LANG", "TZ", "QMAILHOME", "QMAILBIN", "CONTROLDIR", "ASSIGNDIR", "DOMAINDIR", "INDIMAILRUN", "INFIFO",
    "DEFAULT_DOMAIN", "TCPREMOTEIP", "TCPREMOTEHOST", "TCPREMOTEPORT", "TCPLOCALIP", "TCPLOCALHOST", "TCPLOCALPORT",
};

static int fill_environment(const struct session *s, struct env *env) {
  for (size_t i = 0; i < sizeof passed / sizeof *passed; ++i) {
    const char *v = env_lookup(s->env, passed[i]);

    if (v && !env_set(env, passed[i], v)) return 0;
  }
  return env_set(env, "AUTHSERVICE", "smtp");
}

static int put(stralloc *text, const stralloc *field) {
  return stralloc_catz(text, stralloc_cstr(field), field->len);
}

/* The credentials into a pipe, whose reading end is returned: -1 with a->e filled. */
static int credentials_pipe(struct auth *a) {
  stralloc text = STRALLOC_INIT;
  int p[2], r = -1;

  if (fd_pipe(p) == -1) return strerr_sys(&a->e, "unable to make a pipe", (char *)0);
  errno = ENOMEM;
  if (put(&text, &a->user) && put(&text, &a->secret) && put(&text, &a->response) &&
      stralloc_append(&text, (char)a->m->method) && stralloc_append(&text, 0))
    r = fd_write_all(p[1], text.s, text.len); /* less than a pipe holds */
  if (r == -1) strerr_sys(&a->e, "unable to pass on credentials", (char *)0);
  stralloc_wipe(&text);
  stralloc_free(&text);
  fd_close(p[1]);
  return r == -1 ? fd_close(p[0]) : p[0];
}

/* answer is the writing end of a pipe for what it says, or -1. */
static pid_t start(struct auth *a, char *const *argv, int input, int answer) {
  struct spawn sp = {.path = argv[0], .argv = argv};
  struct env env = {0};
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  pid_t pid = -1;

  if (null == -1) return strerr_sys(&a->e, "unable to open /dev/null", (char *)0);
  if (fill_environment(a->s, &env)) sp.envp = env_vector(&env);
  if (sp.envp) {
    spawn_move(&sp, null, 0);
    spawn_move(&sp, null, 1);
    spawn_move(&sp, input, INPUT_FD);
    if (answer != -1) spawn_move(&sp, answer, ANSWER_FD);
    pid = spawn_start(&sp, &a->e);
  } else {
    strerr_set(&a->e, "out of memory", (char *)0);
  }
  fd_close(null);
  env_free(&env);
  return pid;
}

/* What it has written by now: it is gone, and whoever else holds the pipe is not waited for. */
static int read_answer(int fd, stralloc *out) {
  char buf[ANSWER_MAX];
  ssize_t n;

  if (fd_nonblock(fd) == -1) return 0;
  do n = read(fd, buf, sizeof buf);
  while (n == -1 && errno == EINTR);
  return n <= 0 || stralloc_copyb(out, buf, (size_t)n);
}

static enum auth_verdict verdict_of(struct auth *a, const char *program, int code) {
  char text[32];

  if (code == 0) return AUTH_YES;
  if (code == 3) return AUTH_YES_NO_RELAY;
  if (code == 1) return AUTH_NO;
  snprintf(text, sizeof text, code == -1 ? " took too long" : " ended with code %d", code);
  strerr_set(&a->e, program, text, (char *)0);
  return AUTH_TEMPFAIL;
}

/* The program with a pipe for its answer, if one is wanted. */
static enum auth_verdict run(struct auth *a, const struct auth_question *q, int input) {
  enum auth_verdict v = AUTH_TEMPFAIL;
  int p[2] = {-1, -1};
  pid_t pid;

  if (q->answer && fd_pipe(p) == -1) {
    strerr_sys(&a->e, "unable to make a pipe", (char *)0);
    return v;
  }
  pid = start(a, q->argv, input, p[1]);
  fd_close(p[1]);
  if (pid != -1) v = verdict_of(a, q->argv[0], wait_child_or_end(pid, deadline_in(PROGRAM_SECONDS)));
  if (pid != -1 && q->answer && !read_answer(p[0], q->answer)) v = auth_nomem(a);
  fd_close(p[0]);
  session_deadline(a->s);
  return v;
}

enum auth_verdict auth_program(struct auth *a, const struct auth_question *q) {
  const stralloc *const fields[] = {&a->user, &a->secret, &a->response};
  enum auth_verdict v;
  size_t total = 2;
  int input;

  /* What does not fit, or could end early, is nobody's. */
  for (size_t i = 0; i < sizeof fields / sizeof *fields; ++i) {
    if (fields[i]->len && memchr(fields[i]->s, 0, fields[i]->len)) return AUTH_NO;
    total += fields[i]->len + 1;
  }
  if (total > q->max || !a->user.len) return AUTH_NO;
  input = credentials_pipe(a);
  if (input == -1) return AUTH_TEMPFAIL;
  v = run(a, q, input);
  fd_close(input);
  return v;
}

enum auth_verdict auth_check(struct auth *a, stralloc *answer) {
  const struct auth_question q = {a->s->auth + 1, CHECKPASSWORD_MAX, answer};

  return auth_program(a, &q);
}
