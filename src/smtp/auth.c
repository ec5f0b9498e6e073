/* auth: see auth.h. */
#include "smtp/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/env.h"
#include "base/fd.h"
#include "base/spawn.h"
#include "base/wait.h"
#include "smtp/reply.h"

#define AUTH_LINE 12288   /* RFC 4954 section 4 */
#define PROGRAM_INPUT 512 /* what the program's contract lets us send */
#define INPUT_FD 3

/* What the program may need to find its way and to log who asked. */
static const char *const passed[] = {
    "PATH", "LANG", "TZ", "QMAILHOME", "QMAILBIN", "CONTROLDIR", "ASSIGNDIR", "DOMAINDIR", "INDIMAILRUN", "INFIFO",
    "DEFAULT_DOMAIN", "TCPREMOTEIP", "TCPREMOTEHOST", "TCPREMOTEPORT", "TCPLOCALIP", "TCPLOCALHOST", "TCPLOCALPORT",
};

/* It held a secret, or most of one: nothing of it is kept, or logged. */
static void forget_line(struct session *s) {
  stralloc_wipe(&s->line);
  stralloc_cut(&s->line, 0);
}

enum auth_got auth_decode(struct session *s, const char *text, size_t n, stralloc *out) {
  stralloc_cut(out, 0);
  if (n == 1 && *text == '=') return AUTH_GOT;
  switch (base64_decode(out, text, n)) {
    case 1: return AUTH_GOT;
    case 0:
      forget_line(s);
      reply_refuse(s, 501, "5.5.2", "that is not base64");
      return AUTH_BAD;
    default: reply_close(s, "4.3.0", "out of memory"); return AUTH_LOST;
  }
}

static enum auth_got read_answer(struct session *s, stralloc *answer) {
  switch (session_line(s, AUTH_LINE)) {
    case LINE_READ:
      if (!stralloc_equals(&s->line, "*")) return auth_decode(s, stralloc_cstr(&s->line), s->line.len, answer);
      reply(s, 501, "5.7.0", "authentication given up");
      return AUTH_BAD;
    case LINE_TOO_LONG:
      forget_line(s);
      reply_refuse(s, 500, "5.5.6", "line too long");
      return AUTH_BAD;
    case LINE_BAD:
      forget_line(s);
      reply_refuse(s, 500, "5.5.2", "a line ends with CR LF, and has neither elsewhere");
      return AUTH_BAD;
    case LINE_LOST: break;
  }
  return AUTH_LOST;
}

enum auth_got auth_ask(struct session *s, const char *challenge, stralloc *answer) {
  stralloc text = STRALLOC_INIT;
  enum auth_got got = AUTH_LOST;

  if (base64_encode(&text, challenge, strlen(challenge))) {
    reply(s, 334, 0, stralloc_cstr(&text));
    got = read_answer(s, answer);
  } else {
    reply_close(s, "4.3.0", "out of memory");
  }
  forget_line(s);
  stralloc_free(&text);
  return got;
}

static int fill_environment(const struct session *s, struct env *env) {
  for (size_t i = 0; i < sizeof passed / sizeof *passed; ++i) {
    const char *v = env_lookup(s->env, passed[i]);

    if (v && !env_set(env, passed[i], v)) return 0;
  }
  return env_set(env, "AUTHSERVICE", "smtp");
}

/* The credentials into a pipe, whose reading end is returned: -1 with e filled. */
static int credentials_pipe(unsigned char method, const struct credentials *c, struct strerr *e) {
  stralloc text = STRALLOC_INIT;
  int p[2], r = -1;

  if (fd_pipe(p) == -1) return strerr_sys(e, "unable to make a pipe", (char *)0);
  errno = ENOMEM;
  if (stralloc_catz(&text, stralloc_cstr(&c->user), c->user.len) &&
      stralloc_catz(&text, stralloc_cstr(&c->secret), c->secret.len) &&
      stralloc_catz(&text, stralloc_cstr(&c->response), c->response.len) && stralloc_append(&text, (char)method) &&
      stralloc_append(&text, 0))
    r = fd_write_all(p[1], text.s, text.len); /* far less than a pipe holds */
  if (r == -1) strerr_sys(e, "unable to pass on credentials", (char *)0);
  stralloc_wipe(&text);
  stralloc_free(&text);
  fd_close(p[1]);
  return r == -1 ? fd_close(p[0]) : p[0];
}

static pid_t start(const struct session *s, int input, struct strerr *e) {
  struct spawn sp = {.path = s->auth[0], .argv = s->auth};
  struct env env = {0};
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  pid_t pid = -1;

  if (null == -1) return strerr_sys(e, "unable to open /dev/null", (char *)0);
  if (fill_environment(s, &env)) sp.envp = env_vector(&env);
  if (sp.envp) {
    spawn_move(&sp, null, 0);
    spawn_move(&sp, null, 1);
    spawn_move(&sp, input, INPUT_FD);
    pid = spawn_start(&sp, e);
  } else {
    strerr_set(e, "out of memory", (char *)0);
  }
  fd_close(null);
  env_free(&env);
  return pid;
}

/* Its exit code; one that takes too long is ended, and gives -1. */
static int wait_for(pid_t pid, deadline when) {
  int status;

  if (wait_child(pid, when, &status) == 0) return spawn_code(status);
  kill(pid, SIGKILL);
  (void)!spawn_wait(pid);
  return -1;
}

enum auth_verdict auth_program(const struct session *s, unsigned char method, const struct credentials *c, deadline when,
                               struct strerr *e) {
  char code[12];
  int input, got;
  pid_t pid;

  /* A name or password that does not fit, or could end early, is nobody's. */
  if (c->user.len + c->secret.len + c->response.len + 5 > PROGRAM_INPUT || !c->user.len ||
      memchr(c->user.s, 0, c->user.len) || (c->secret.len && memchr(c->secret.s, 0, c->secret.len)))
    return AUTH_NO;
  input = credentials_pipe(method, c, e);
  if (input == -1) return AUTH_TEMPFAIL;
  pid = start(s, input, e);
  fd_close(input);
  if (pid == -1) return AUTH_TEMPFAIL;
  got = wait_for(pid, when);
  if (got == 0) return AUTH_YES;
  if (got == 3) return AUTH_YES_NO_RELAY;
  if (got == 1) return AUTH_NO;
  code[0] = got == -1 ? '-' : (char)('0' + got / 100 % 10);
  code[1] = (char)('0' + (got < 0 ? 0 : got / 10 % 10));
  code[2] = (char)('0' + (got < 0 ? 1 : got % 10));
  code[3] = 0;
  strerr_set(e, s->auth[0], got == -1 ? " took too long" : " ended with code ", got == -1 ? "" : code, (char *)0);
  return AUTH_TEMPFAIL;
}

void credentials_free(struct credentials *c) {
  stralloc_wipe(&c->user);
  stralloc_wipe(&c->secret);
  stralloc_wipe(&c->response);
  stralloc_free(&c->user);
  stralloc_free(&c->secret);
  stralloc_free(&c->response);
}
