/* recipients_program: see recipients_program.h. */
#include "smtp/recipients_program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/spawn.h"
#include "base/stralloc.h"
#include "base/wait.h"
#include "base/words.h"

#define SECONDS 20
#define INPUT_FD 3
#define WORDS_MAX 32
#define TEMPORARY 111

/* The reading end of a pipe with the address, or -1. */
static int address_pipe(const char *address, struct strerr *e) {
  stralloc text = STRALLOC_INIT;
  int p[2], r = -1;

  if (fd_pipe(p) == -1) return strerr_sys(e, "unable to make a pipe", (char *)0);
  errno = ENOMEM;
  if (stralloc_catz(&text, address, strlen(address)) && stralloc_append(&text, 0) && stralloc_append(&text, 0))
    r = fd_write_all(p[1], text.s, text.len); /* far less than a pipe holds */
  if (r == -1) strerr_sys(e, "unable to pass on an address", (char *)0);
  stralloc_free(&text);
  fd_close(p[1]);
  return r == -1 ? fd_close(p[0]) : p[0];
}

static pid_t start(char *const *words, int input, struct strerr *e) {
  struct spawn sp = {.path = words[0], .argv = words};
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  pid_t pid;

  if (null == -1) return strerr_sys(e, "unable to open /dev/null", (char *)0);
  spawn_move(&sp, null, 0);
  spawn_move(&sp, null, 1);
  spawn_move(&sp, input, INPUT_FD);
  pid = spawn_start(&sp, e);
  fd_close(null);
  return pid;
}

/* Its exit code, or -1 when it had to be ended. */
static int finish(pid_t pid) {
  int status;

  if (wait_child(pid, deadline_in(SECONDS), &status) == 0) return spawn_code(status);
  kill(pid, SIGKILL);
  (void)!spawn_wait(pid);
  return -1;
}

int recipients_program(const char *command, const char *address, struct strerr *e) {
  stralloc copy = STRALLOC_INIT;
  char *words[WORDS_MAX + 1];
  int input, code = -1;
  pid_t pid = -1;

  if (!stralloc_copys(&copy, command)) return strerr_set(e, "out of memory", (char *)0);
  if (words_split(copy.s, words, WORDS_MAX)) {
    input = address_pipe(address, e);
    if (input != -1) pid = start(words, input, e);
    fd_close(input);
  } else {
    strerr_set(e, "not a command: ", command, (char *)0);
  }
  if (pid != -1) {
    code = finish(pid);
    if (code == -1 || code == TEMPORARY || code > 128) strerr_set(e, words[0], ": failed for now", (char *)0);
  }
  stralloc_free(&copy);
  return code == -1 || code == TEMPORARY || code > 128 ? -1 : code == 0;
}
