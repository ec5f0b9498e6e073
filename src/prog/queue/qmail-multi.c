/* qmail-multi: pick one queue of the collection and run qmail-queue, or another
 * program, there. */
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/env.h"
#include "base/now.h"
#include "base/spawn.h"
#include "conf/conf.h"
#include "conf/paths.h"
#include "queue/collection.h"
#include "queue/exitcodes.h"

/* The program to become: our arguments, else $QUEUEPROG, else qmail-queue. */
static int become(int argc, char **argv, struct env *env) {
  const char *queueprog = env_get("QUEUEPROG");
  stralloc path = STRALLOC_INIT;
  char *one[2] = {0, 0};
  struct spawn s = {.envp = env_vector(env)};
  struct strerr e;

  if (!s.envp) return QQ_memory;
  if (argc > 1) {
    s.path = argv[1];
    s.argv = argv + 1;
  } else {
    if (queueprog && *queueprog ? !stralloc_copys(&path, queueprog) : !paths_program("qmail-queue", &path))
      return QQ_memory;
    one[0] = path.s;
    s.path = path.s;
    s.argv = one;
  }
  (void)!spawn_exec(&s, &e);
  return QQ_exec;
}

static int room_in(const char *dir, uint64_t min_free) {
  struct statvfs fs;

  if (!min_free) return QQ_queued;
  if (statvfs(dir, &fs) == -1) return QQ_config;
  return (uint64_t)fs.f_bavail * fs.f_frsize >= min_free ? QQ_queued : QQ_write;
}

int main(int argc, char **argv) {
  uint64_t pick = (uint64_t)getpid() + (uint64_t)wall_now_us();
  stralloc dir = STRALLOC_INIT;
  struct collection c;
  struct env env = {0};
  struct conf conf;
  struct strerr e;
  int code;

  if (conf_load(&conf, CONF_QUEUE, &e) == -1 || collection_load(&c, &conf, &e) == -1) return QQ_config;
  if (!collection_choose(&c, &conf, pick, &dir) || !env_import(&env) || !env_set(&env, "QUEUEDIR", dir.s))
    return QQ_memory;
  code = room_in(dir.s, conf_number(&conf, SET_min_free));
  return code == QQ_queued ? become(argc, argv, &env) : code;
}
