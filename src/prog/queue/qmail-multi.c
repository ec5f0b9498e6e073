/* qmail-multi: pick one queue of the collection, have the message filtered, and run
 * qmail-queue, or another program, there. */
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/env.h"
#include "base/now.h"
#include "base/spawn.h"
#include "conf/conf.h"
#include "conf/paths.h"
#include "queue/choice.h"
#include "queue/exitcodes.h"
#include "queue/filter.h"

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

/* $QUEUEDIR.  Where we may not look into the queues and qmail-queue, which may, comes next,
 * the choice is left to it. */
static int choose(const struct conf *conf, int is_last, struct env *env) {
  uint64_t pick = (uint64_t)getpid() + (uint64_t)wall_now_us();
  stralloc dir = STRALLOC_INIT;
  struct collection c;
  struct strerr e;
  int blind;
  int code;

  if (collection_load(&c, conf, &e) == -1) return QQ_config;
  if (!choice_queue(&c, conf, pick, &dir, &blind)) return QQ_memory;
  code = room_in(dir.s, conf_number(conf, SET_min_free));
  if (code == QQ_queued && !(blind && is_last) && !env_set(env, "QUEUEDIR", dir.s)) code = QQ_memory;
  collection_free(&c);
  stralloc_free(&dir);
  return code;
}

/* Spam is marked by the filter, and goes on, unless it is refused, dropped or sent elsewhere. */
static int spam_filter(const struct conf *conf, struct env *env, const char *command, int *drop) {
  const struct spam_codes codes = {conf_number(conf, SET_spamexitcode), conf_number(conf, SET_hamexitcode),
                                   conf_number(conf, SET_unsureexitcode)};
  const char *elsewhere = conf_line(conf, SET_globalspamredirect);
  uint64_t reject = conf_number(conf, SET_rejectspam);
  int exit_code;
  int code = filter_run(command, env, &exit_code);

  if (code != QQ_queued) return code;
  switch (filter_spam_verdict(exit_code, &codes)) {
    case SPAM_HAM: return QQ_queued;
    case SPAM_TROUBLE: return exit_code == QQ_custom ? QQ_custom : QQ_filter;
    case SPAM_SPAM: break;
  }
  if (reject == 1) return QQ_spam;
  *drop = reject > 1;
  return *elsewhere && !env_set(env, "QUARANTINE", elsewhere) ? QQ_memory : QQ_queued;
}

static int filter(const struct conf *conf, struct env *env, int *drop) {
  const char *spam = conf_line(conf, SET_spamfilter);
  const char *args = conf_line(conf, SET_filterargs);
  int exit_code;
  int code = QQ_queued;

  if (env_get("RELAYCLIENT") && conf_flag(conf, SET_relayclient_nospamfilter)) spam = "";
  if (!env_unset(env, "SPAMFILTER") || !env_unset(env, "FILTERARGS")) return QQ_memory;
  if (conf_flag(conf, SET_make_seekable)) code = filter_make_seekable();
  if (code == QQ_queued && *spam) code = spam_filter(conf, env, spam, drop);
  if (code != QQ_queued || *drop || !*args) return code;
  code = filter_run(args, env, &exit_code);
  return code == QQ_queued ? filter_args_verdict(exit_code, drop) : code;
}

int main(int argc, char **argv) {
  const char *queueprog = env_get("QUEUEPROG");
  struct env env = {0};
  struct conf conf;
  struct strerr e;
  int drop = 0;
  int code;

  if (conf_load(&conf, CONF_QUEUE | CONF_MULTI, &e) == -1) return QQ_config;
  if (!env_import(&env)) return QQ_memory;
  code = choose(&conf, argc == 1 && !(queueprog && *queueprog), &env);
  if (code == QQ_queued) code = filter(&conf, &env, &drop);
  if (code != QQ_queued || drop) return code;
  return become(argc, argv, &env);
}
