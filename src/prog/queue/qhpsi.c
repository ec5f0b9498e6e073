/* qhpsi: run by qmail-queue to have a message scanned: takes on the rights of qmailq wholly
 * and becomes the scanner; or loads plugins and asks them. */
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

#include "base/auto_paths.h"
#include "base/env.h"
#include "base/spawn.h"
#include "base/stralloc.h"
#include "base/strerr.h"

#define USAGE "qhpsi command [argument ...] (started by qmail-queue)"
#define PLUGIN "plugin:"
#define CLEAN 0
#define TROUBLE 111

/* A plugin's function: the file of the message; 0 clean, 1 infected, else trouble. */
typedef int (*scan_fn)(const char *file);

/* The caller's real ids are still those of who runs qmail-queue: a scanner must not be theirs
 * to stop or trace. */
static void become(void) {
  uid_t uid = geteuid();
  gid_t gid = getegid();

  if (setresgid(gid, gid, gid) == -1 || setresuid(uid, uid, uid) == -1) _exit(TROUBLE);
}

/* The plugin's path: its own, or below the directory of plugins. */
static int find_plugin(const char *name, stralloc *path) {
  const char *dir = env_get("PLUGINDIR");

  if (*name == '/') return stralloc_copys(path, name);
  return dir && *dir ? stralloc_copys(path, dir) && stralloc_catm(path, "/", name, (char *)0)
                     : stralloc_copys(path, auto_prefix) && stralloc_catm(path, "/lib/indimail/plugins/", name, (char *)0);
}

static int ask_plugin(const char *name, const char *file) {
  const char *symbol = env_get("QUEUE_PLUGIN_SYMB");
  stralloc path = STRALLOC_INIT;
  void *object, *function;
  scan_fn scan;

  if (!find_plugin(name, &path)) return TROUBLE;
  object = dlopen(path.s, RTLD_NOW | RTLD_LOCAL);
  function = object ? dlsym(object, symbol && *symbol ? symbol : "virusscan") : 0;
  if (!function) return TROUBLE;
  memcpy(&scan, &function, sizeof scan);
  return scan(file);
}

/* "plugin:a.so,b.so": the first that does not find it clean decides. */
static int ask_plugins(const char *list, const char *file) {
  while (*list) {
    size_t n = strcspn(list, ",");
    stralloc name = STRALLOC_INIT;
    int code = stralloc_copyb(&name, list, n) ? ask_plugin(name.s, file) : TROUBLE;

    stralloc_free(&name);
    if (code != CLEAN) return code;
    list += n + (list[n] == ',');
  }
  return CLEAN;
}

int main(int argc, char **argv) {
  struct spawn s = {.argv = argv + 1};
  struct strerr e;

  if (argc < 2 || argv[1][0] == '-') strerr_die_usage(USAGE);
  become();
  if (!strncmp(argv[1], PLUGIN, sizeof PLUGIN - 1)) return ask_plugins(argv[1] + sizeof PLUGIN - 1, argv[argc - 1]);
  s.path = argv[1];
  (void)!spawn_exec(&s, &e);
  return TROUBLE;
}
