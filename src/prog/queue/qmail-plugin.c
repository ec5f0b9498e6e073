/* qmail-plugin: loads plugins for programs that are static and cannot, calls their function
 * and tells how it ended.  Started by qmail-send. */
#include <dlfcn.h>
#include <string.h>

#include "base/auto_paths.h"
#include "base/env.h"
#include "base/stralloc.h"
#include "base/strerr.h"
#include "send/start_plugin.h"

#define FATAL "qmail-plugin: fatal: "
#define USAGE "qmail-plugin program queuedir symbol plugin ..."

/* A path, or a name below the directory of plugins. */
static int find(const char *name, stralloc *path) {
  const char *dir = env_get("PLUGINDIR");

  stralloc_cut(path, 0);
  if (*name == '/') return stralloc_copys(path, name);
  if (dir && *dir) return stralloc_catm(path, dir, "/", name, (char *)0);
  return stralloc_catm(path, auto_prefix, "/lib/indimail/plugins/", name, (char *)0);
}

static int call(const char *file, const char *symbol, const struct start_plugin *p) {
  void *object = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  void *address = object ? dlsym(object, symbol) : 0;
  start_plugin_fn function;

  if (!address) strerr_diem(111, FATAL, "unable to load ", file, ": ", dlerror(), (char *)0);
  memcpy(&function, &address, sizeof function);
  return function(p);
}

int main(int argc, char **argv) {
  struct start_plugin p = {.version = START_PLUGIN_VERSION};
  stralloc path = STRALLOC_INIT;

  if (argc < 5 || argv[1][0] == '-') strerr_die_usage(USAGE);
  p.program = argv[1];
  p.queue = argv[2];
  for (int i = 4; i < argc; ++i) {
    if (!find(argv[i], &path)) strerr_die_nomem(FATAL);
    if (call(path.s, argv[3], &p) != 0) strerr_diem(100, FATAL, path.s, " says no", (char *)0);
  }
  return 0;
}
