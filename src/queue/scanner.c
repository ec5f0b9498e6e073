/* scanner: see scanner.h. */
#include "queue/scanner.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/env.h"
#include "base/spawn.h"
#include "conf/paths.h"
#include "queue/exitcodes.h"

#define WORDS_MAX 32

static int put_word(struct strlist *words, const char *s, size_t n, const char *path, int *has_path) {
  stralloc word = STRALLOC_INIT;
  int ok = 1;

  for (size_t i = 0; ok && i < n; ++i) {
    if (s[i] == '%' && i + 1 < n && s[i + 1] == 's') {
      ok = stralloc_cats(&word, path);
      *has_path = 1;
      ++i;
    } else {
      ok = stralloc_append(&word, s[i]);
    }
  }
  ok = ok && strlist_add(words, stralloc_cstr(&word), word.len);
  stralloc_free(&word);
  return ok;
}

int scanner_words(const char *command, const char *path, struct strlist *words) {
  int has_path = 0;

  while (*command) {
    size_t n = strcspn(command, " \t");

    if (n && !put_word(words, command, n, path, &has_path)) return 0;
    command += n;
    while (*command == ' ' || *command == '\t') ++command;
  }
  return has_path || strlist_add(words, path, strlen(path));
}

/* A caller who has fewer rights than we gives the scanner nothing: no PATH, no LD_PRELOAD. */
static int environment(struct env *env, const struct conf *conf, const char *messid) {
  if (!env_is_secure()) {
    if (!env_import(env)) return 0;
  } else if (!env_set(env, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") || !env_set(env, "LANG", "C")) {
    return 0;
  }
  return env_set(env, "MESSID", messid) && env_set(env, "QUEUE_PLUGIN_SYMB", conf_line(conf, SET_queue_plugin_symb)) &&
         env_set(env, "PLUGINDIR", conf_line(conf, SET_plugindir));
}

/* Its exit code; or -1 and *code. */
static int run(struct strlist *words, struct env *env, int *code) {
  char *argv[WORDS_MAX + 2];
  stralloc program = STRALLOC_INIT;
  struct spawn s = {.argv = argv, .envp = env_vector(env)};
  struct strerr e;
  pid_t pid = -1;
  int status;

  *code = QQ_exec_helper;
  if (s.envp && words->len <= WORDS_MAX && paths_program("qhpsi", &program)) {
    s.path = argv[0] = program.s;
    for (size_t i = 0; i < words->len; ++i) argv[i + 1] = words->item[i].s;
    argv[words->len + 1] = 0;
    for (int fd = 0; fd < 3; ++fd) spawn_move(&s, SPAWN_NULL, fd);
    pid = spawn_start(&s, &e);
  }
  stralloc_free(&program);
  if (pid == -1) return -1;
  status = spawn_wait(pid);
  *code = QQ_scanner;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int scanner_run(const struct conf *conf, const char *path, uint64_t size, const char *messid, enum scan_verdict *verdict) {
  const char *command = conf_line(conf, SET_qhpsi);
  uint64_t max = conf_number(conf, SET_qhpsimaxsize);
  struct strlist words = {0};
  struct env env = {0};
  stralloc full = STRALLOC_INIT;
  char dir[4096];
  int code = QQ_memory;
  int got = -1;

  *verdict = SCAN_NONE;
  if (!*command || size < conf_number(conf, SET_qhpsiminsize) || (max && size > max)) return QQ_queued;
  if (!getcwd(dir, sizeof dir)) return QQ_chdir;
  if (stralloc_catm(&full, dir, "/", path, (char *)0) && scanner_words(command, full.s, &words) &&
      environment(&env, conf, messid))
    got = run(&words, &env, &code);
  if (got >= 0 && (uint64_t)got == conf_number(conf, SET_qhpsirc)) *verdict = SCAN_INFECTED;
  else if (got >= 0 && (uint64_t)got == conf_number(conf, SET_qhpsirn)) *verdict = SCAN_CLEAN;
  if (*verdict != SCAN_NONE) code = QQ_queued;
  strlist_free(&words);
  env_free(&env);
  stralloc_free(&full);
  return code;
}
