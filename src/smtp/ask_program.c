/* ask_program: see ask_program.h. */
#include "smtp/ask_program.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/iodeadline.h"
#include "base/spawn.h"
#include "base/wait.h"
#include "base/words.h"

#define INPUT_FD 3
#define WORDS_MAX 32
#define TEMPORARY 111

/* The reading end of a pipe with the question, or -1. */
static int question_pipe(const stralloc *question, struct strerr *e) {
  int p[2], r;

  if (fd_pipe(p) == -1) return strerr_sys(e, "unable to make a pipe", (char *)0);
  r = fd_write_all(p[1], question->s, question->len);
  if (r == -1) strerr_sys(e, "unable to ask a program", (char *)0);
  fd_close(p[1]);
  return r == -1 ? fd_close(p[0]) : p[0];
}

static pid_t start(char *const *words, int input, int output, struct strerr *e) {
  struct spawn sp = {.path = words[0], .argv = words};
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  pid_t pid;

  if (null == -1) return strerr_sys(e, "unable to open /dev/null", (char *)0);
  spawn_move(&sp, null, 0);
  spawn_move(&sp, output == -1 ? null : output, 1);
  spawn_move(&sp, input, INPUT_FD);
  pid = spawn_start(&sp, e);
  fd_close(null);
  return pid;
}

/* To its end: 0, or -1. */
static int read_answer(int fd, stralloc *answer, deadline when) {
  struct iodeadline io = {.fd = fd, .when = when, .session = DEADLINE_NEVER};
  char buf[512];
  ssize_t n;

  while ((n = iodeadline_read(&io, buf, sizeof buf)) > 0) {
    size_t room = ASK_PROGRAM_ANSWER - answer->len;

    if (!stralloc_catb(answer, buf, (size_t)n < room ? (size_t)n : room)) return -1;
  }
  return n == 0 ? 0 : -1;
}

/* Its exit code, or -1 when it had to be ended. */
static int finish(pid_t pid, int from, stralloc *answer) {
  deadline when = deadline_in(ASK_PROGRAM_SECONDS);

  if (from != -1 && read_answer(from, answer, when) == -1) when = deadline_in(0);
  return wait_child_or_end(pid, when);
}

static int run(char *const *words, const stralloc *question, stralloc *answer, struct strerr *e) {
  int p[2] = {-1, -1}, code = -1;
  int input = question_pipe(question, e);
  pid_t pid = -1;

  if (input == -1) return -1;
  if (answer && (fd_pipe(p) == -1 || fd_nonblock(p[0]) == -1)) strerr_sys(e, "unable to make a pipe", (char *)0);
  else pid = start(words, input, p[1], e);
  fd_close(input);
  fd_close(p[1]);
  if (pid != -1) {
    code = finish(pid, p[0], answer);
    if (code == -1 || code == TEMPORARY || code > 128) {
      code = -1;
      strerr_set(e, words[0], ": failed for now", (char *)0);
    }
  }
  if (p[0] != -1) wait_forget(p[0]);
  fd_close(p[0]);
  return code;
}

int ask_program(const char *command, const stralloc *question, stralloc *answer, struct strerr *e) {
  stralloc copy = STRALLOC_INIT;
  char *words[WORDS_MAX + 1];
  int code = -1;

  if (!stralloc_copys(&copy, command)) return strerr_set(e, "out of memory", (char *)0);
  if (words_split(copy.s, words, WORDS_MAX)) code = run(words, question, answer, e);
  else strerr_set(e, "not a command: ", command, (char *)0);
  stralloc_free(&copy);
  return code;
}
