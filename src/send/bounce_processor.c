/* bounce_processor: see bounce_processor.h. */
#include "send/bounce_processor.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/now.h"
#include "base/spawn.h"
#include "base/wait.h"

static pid_t start(const char *program, const struct bounce_notice *n, struct env *env, struct strerr *e) {
  const char *argv[] = {program, n->message, n->text, n->report, n->from, n->recipient, n->to, 0};
  struct spawn s = {.path = program, .argv = (char *const *)argv, .envp = env_vector(env), .new_group = 1};

  if (!s.envp) return strerr_sys(e, "unable to run ", program, (char *)0);
  for (int fd = 0; fd < 3; ++fd) spawn_move(&s, SPAWN_NULL, fd);
  return spawn_start(&s, e);
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
