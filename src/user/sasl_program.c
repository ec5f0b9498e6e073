/* sasl_program: programs that know passwords or tokens: see sasl.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/spawn.h"
#include "base/wait.h"
#include "base/words.h"
#include "user/sasl.h"

#define WORDS_MAX 32
#define INPUT_FD 3
#define ANSWER_FD 6
#define ANSWER_MAX 256
#define PROGRAM_SECONDS 120

/* What the program may need to find its way and to log who asked. */
static const char *const passed[] = {
    "PATH", "LANG", "TZ", "QMAILHOME", "QMAILBIN", "CONTROLDIR", "ASSIGNDIR", "DOMAINDIR", "INDIMAILRUN", "INFIFO",
    "DEFAULT_DOMAIN", "TCPREMOTEIP", "TCPREMOTEHOST", "TCPREMOTEPORT", "TCPLOCALIP", "TCPLOCALHOST", "TCPLOCALPORT",
};

static int fill_environment(const struct sasl *x, const struct env *from, struct env *env) {
  for (size_t i = 0; i < sizeof passed / sizeof *passed; ++i) {
    const char *v = env_lookup(from, passed[i]);

    if (v && !env_set(env, passed[i], v)) return 0;
  }
  return env_set(env, "AUTHSERVICE", x->service);
}

static int put(stralloc *text, const stralloc *field) {
  return stralloc_catz(text, stralloc_cstr(field), field->len);
}

/* The credentials into a pipe, whose reading end is returned: -1 with x->e filled. */
static int credentials_pipe(struct sasl *x, unsigned char method) {
  stralloc text = STRALLOC_INIT;
  int p[2], r = -1;

  if (fd_pipe(p) == -1) return strerr_sys(&x->e, "unable to make a pipe", (char *)0);
  errno = ENOMEM;
  if (put(&text, &x->user) && put(&text, &x->secret) && put(&text, &x->response) &&
      stralloc_append(&text, (char)method) && stralloc_append(&text, 0))
    r = fd_write_all(p[1], text.s, text.len); /* less than a pipe holds */
  if (r == -1) strerr_sys(&x->e, "unable to pass on credentials", (char *)0);
  stralloc_wipe(&text);
  stralloc_free(&text);
  fd_close(p[1]);
  return r == -1 ? fd_close(p[0]) : p[0];
}

/* answer is the writing end of a pipe for what it says, or -1. */
static pid_t start(struct sasl *x, const struct sasl_question *q, int input, int answer) {
  struct spawn sp = {.path = q->argv[0], .argv = q->argv};
  struct env env = {0};
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  pid_t pid = -1;

  if (null == -1) return strerr_sys(&x->e, "unable to open /dev/null", (char *)0);
  if (fill_environment(x, q->env, &env)) sp.envp = env_vector(&env);
  if (sp.envp) {
    spawn_move(&sp, null, 0);
    spawn_move(&sp, null, 1);
    spawn_move(&sp, input, INPUT_FD);
    if (answer != -1) spawn_move(&sp, answer, ANSWER_FD);
    pid = spawn_start(&sp, &x->e);
  } else {
    strerr_set(&x->e, "out of memory", (char *)0);
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

static enum sasl_verdict verdict_of(struct sasl *x, const char *program, int code) {
  char text[32];

  if (code == 0) return SASL_YES;
  if (code == 3) return SASL_YES_NO_RELAY;
  if (code == 1) return SASL_NO;
  snprintf(text, sizeof text, code == -1 ? " took too long" : " ended with code %d", code);
  strerr_set(&x->e, program, text, (char *)0);
  return SASL_TEMPFAIL;
}

/* The program with a pipe for its answer, if one is wanted. */
static enum sasl_verdict run(struct sasl *x, const struct sasl_question *q, int input) {
  enum sasl_verdict v = SASL_TEMPFAIL;
  int p[2] = {-1, -1};
  pid_t pid;

  if (q->answer && fd_pipe(p) == -1) {
    strerr_sys(&x->e, "unable to make a pipe", (char *)0);
    return v;
  }
  pid = start(x, q, input, p[1]);
  fd_close(p[1]);
  if (pid != -1) v = verdict_of(x, q->argv[0], wait_child_or_end(pid, deadline_in(PROGRAM_SECONDS)));
  if (pid != -1 && q->answer && !read_answer(p[0], q->answer)) v = x->carrier->nomem(x);
  fd_close(p[0]);
  return v;
}

enum sasl_verdict sasl_program(struct sasl *x, const struct sasl_question *q) {
  const stralloc *const fields[] = {&x->user, &x->secret, &x->response};
  enum sasl_verdict v;
  size_t total = 2;
  int input;

  /* What does not fit, or could end early, is nobody's. */
  for (size_t i = 0; i < sizeof fields / sizeof *fields; ++i) {
    if (fields[i]->len && memchr(fields[i]->s, 0, fields[i]->len)) return SASL_NO;
    total += fields[i]->len + 1;
  }
  if (total > q->max || !x->user.len) return SASL_NO;
  input = credentials_pipe(x, q->method);
  if (input == -1) return SASL_TEMPFAIL;
  v = run(x, q, input);
  fd_close(input);
  return v;
}

enum sasl_verdict sasl_program_command(struct sasl *x, const char *setting, const char *command, const struct sasl_question *q) {
  struct sasl_question asked = *q;
  stralloc copy = STRALLOC_INIT;
  char *words[WORDS_MAX + 1];
  enum sasl_verdict v = SASL_TEMPFAIL;

  asked.argv = words;
  if (!stralloc_copys(&copy, command)) v = x->carrier->nomem(x);
  else if (words_split(copy.s, words, WORDS_MAX)) v = sasl_program(x, &asked);
  else strerr_set(&x->e, setting, ": not a command: ", command, (char *)0);
  stralloc_free(&copy);
  return v;
}
