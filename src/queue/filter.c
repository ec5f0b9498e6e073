/* filter: see filter.h. */
#include "queue/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/spawn.h"
#include "queue/exitcodes.h"

const char *filter_directory(void) {
  const char *dir = env_trusted("TMPDIR");

  return dir && *dir ? dir : "/tmp";
}

int filter_temporary(void) {
  return open(filter_directory(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* The file becomes descriptor 0, from its start. */
static int take_place(int fd) {
  int r = lseek(fd, 0, SEEK_SET) == -1 || dup2(fd, 0) == -1 ? QQ_temp : QQ_queued;

  fd_close(fd);
  return r;
}

int filter_make_seekable(void) {
  char buf[65536];
  int fd = filter_temporary();
  ssize_t n;

  if (fd == -1) return QQ_temp;
  while ((n = read(0, buf, sizeof buf)) != 0) {
    if (n == -1 && errno == EINTR) continue;
    if (n == -1 || fd_write_all(fd, buf, (size_t)n) == -1) {
      fd_close(fd);
      return n == -1 ? QQ_read : QQ_write;
    }
  }
  return take_place(fd);
}

int filter_run(const char *command, struct env *env, int *code) {
  const char *argv[] = {"/bin/sh", "-c", command, 0};
  struct spawn s = {.path = argv[0], .argv = (char *const *)argv, .envp = env_vector(env)};
  int fd = filter_temporary();
  struct strerr e;
  pid_t pid;
  int status;

  if (fd == -1) return QQ_temp;
  spawn_move(&s, 0, 0);
  spawn_move(&s, fd, 1);
  pid = s.envp ? spawn_start(&s, &e) : -1;
  if (pid == -1) {
    fd_close(fd);
    return s.envp ? QQ_fork : QQ_memory;
  }
  status = spawn_wait(pid);
  if (status == -1 || !WIFEXITED(status)) {
    fd_close(fd);
    return status == -1 ? QQ_wait : QQ_crashed;
  }
  *code = WEXITSTATUS(status);
  return take_place(fd);
}

int filter_args_verdict(int code, int *drop) {
  *drop = code == 2 || code == 99;
  if (!code || *drop) return QQ_queued;
  if (code == 31 || code == 100) return QQ_refused;
  return code == QQ_custom ? QQ_custom : QQ_deferred;
}

enum spam filter_spam_verdict(int code, const struct spam_codes *c) {
  uint64_t u = (uint64_t)code;

  if (u == c->spam) return SPAM_SPAM;
  if (u == c->ham || u == c->unsure || u <= 2) return SPAM_HAM;
  return SPAM_TROUBLE;
}
