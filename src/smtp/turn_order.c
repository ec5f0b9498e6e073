/* turn_order: see turn.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/scan.h"
#include "base/spawn.h"
#include "base/wait.h"
#include "conf/paths.h"
#include "smtp/turn.h"

#define SECONDS 60
#define ANSWER_MAX 64

static pid_t start(const char *program, const struct strlist *domains, int answer, struct strerr *e) {
  char *argv[TURN_DOMAINS + 2] = {(char *)(uintptr_t) "qmail-turn"};
  struct spawn sp = {.path = program, .argv = argv};
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  pid_t pid;

  if (null == -1) return strerr_sys(e, "unable to open /dev/null", (char *)0);
  for (size_t i = 0; i < domains->len && i < TURN_DOMAINS; ++i) argv[i + 1] = domains->item[i].s;
  spawn_move(&sp, null, 0);
  spawn_move(&sp, answer, 1);
  pid = spawn_start(&sp, e);
  fd_close(null);
  return pid;
}

static int understand(int fd, uint64_t *messages) {
  char text[ANSWER_MAX];
  ssize_t n = fd_nonblock(fd) == -1 ? -1 : read(fd, text, sizeof text);

  return n > 1 && text[n - 1] == '\n' && scan_u64(text, (size_t)n - 1, messages);
}

int turn_order(const struct strlist *domains, uint64_t *messages, struct strerr *e) {
  stralloc program = STRALLOC_INIT;
  int p[2], r = -1;
  pid_t pid = -1;

  if (fd_pipe(p) == -1) return strerr_sys(e, "unable to make a pipe", (char *)0);
  if (paths_program("qmail-turn", &program)) pid = start(program.s, domains, p[1], e);
  else strerr_set(e, "out of memory", (char *)0);
  fd_close(p[1]);
  if (pid != -1) {
    r = wait_child_or_end(pid, deadline_in(SECONDS)) == 0 && understand(p[0], messages) ? 0 : -1;
    if (r == -1) strerr_set(e, "qmail-turn failed", (char *)0);
  }
  fd_close(p[0]);
  stralloc_free(&program);
  return r;
}
