/* bounce_processor: see bounce_processor.h. */
#include "send/bounce_processor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/now.h"
#include "base/spawn.h"
#include "base/wait.h"

static pid_t start(const char *program, const struct bounce_notice *n, struct env *env, struct strerr *e) {
  const char *argv[] = {program, n->message, n->text, n->report, n->from, n->recipient, n->to, 0};
  struct spawn s = {.path = program, .argv = (char *const *)argv, .envp = env_vector(env), .new_group = 1};
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  pid_t pid;

  if (!s.envp || null == -1) {
    strerr_sys(e, "unable to run ", program, (char *)0);
    fd_close(null);
    return -1;
  }
  for (int fd = 0; fd < 3; ++fd) spawn_move(&s, null, fd);
  pid = spawn_start(&s, e);
  fd_close(null);
  return pid;
}

enum bounce_wish bounce_process(const char *program, const struct bounce_notice *n, struct env *env, uint64_t seconds,
                                struct strerr *e) {
  pid_t pid = start(program, n, env, e);
  int status;

  if (pid == -1) return BOUNCE_WISH_LATER;
  if (wait_child(pid, deadline_in((int64_t)seconds), &status) == -1) {
    kill(-pid, SIGKILL);
    if (wait_child(pid, DEADLINE_NEVER, &status) == -1) (void)!spawn_wait(pid);
    strerr_set(e, program, " did not end", (char *)0);
    return BOUNCE_WISH_LATER;
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return BOUNCE_WISH_SEND;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 1) return BOUNCE_WISH_DROP;
  strerr_set(e, program, " wants the bounce later", (char *)0);
  return BOUNCE_WISH_LATER;
}
