/* start_plugin: see start_plugin.h.  Our programs are static; qmail-plugin, which is not, loads
 * the files. */
#include "send/start_plugin.h"

#include <string.h>

#include "base/spawn.h"
#include "conf/conf.h"
#include "conf/paths.h"

#define PLUGINS_MAX 16
#define FIXED 4 /* arguments before the plugins */

static int run(const char *helper, char *const argv[], int log, struct strerr *e) {
  struct spawn s = {.path = helper, .argv = argv};
  pid_t pid;

  spawn_move(&s, SPAWN_NULL, 0);
  spawn_move(&s, log, 1);
  spawn_move(&s, log, 2);
  pid = spawn_start(&s, e);
  if (pid == -1) return -1;
  return spawn_wait(pid) == 0 ? 0 : strerr_set(e, "a plugin of START_PLUGIN does not let us start", (char *)0);
}

int start_plugins(const struct conf *conf, const char *program, const char *queue, int log, struct strerr *e) {
  const char *list = conf_line(conf, SET_start_plugin);
  const char *argv[FIXED + PLUGINS_MAX + 1];
  struct strlist words = {0};
  stralloc helper = STRALLOC_INIT;
  size_t n = 0;
  int ok = 1;
  int r;

  if (!*list) return 0;
  while (ok && *list) {
    size_t len = strcspn(list, " ,");

    ok = !len || strlist_add(&words, list, len);
    list += len + (list[len] != 0);
  }
  ok = ok && words.len <= PLUGINS_MAX && paths_program("qmail-plugin", &helper);
  if (ok) {
    argv[n++] = helper.s;
    argv[n++] = program;
    argv[n++] = queue;
    argv[n++] = conf_line(conf, SET_start_plugin_symb);
    for (size_t i = 0; i < words.len; ++i) argv[n++] = words.item[i].s;
    argv[n] = 0;
  }
  r = ok ? run(helper.s, (char *const *)argv, log, e) : strerr_set(e, "unable to run the plugins of START_PLUGIN", (char *)0);
  strlist_free(&words);
  stralloc_free(&helper);
  return r;
}
