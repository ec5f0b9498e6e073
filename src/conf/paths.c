/* paths: see paths.h. */
#include "conf/paths.h"

#include <string.h>

#include "base/auto_paths.h"
#include "base/env.h"

struct place {
  const char *variable; /* names the directory itself */
  const char *below;    /* below $QMAILHOME when that is set, or below base */
  const char *base;     /* compiled in */
};

static const struct place places[PATHS] = {
    [PATH_HOME] = {0, "", auto_home},
    [PATH_CONTROL] = {"CONTROLDIR", "/control", auto_sysconfdir},
    [PATH_USERS] = {"ASSIGNDIR", "/users", auto_sysconfdir},
    [PATH_CERTS] = {"CERTDIR", "/certs", auto_sysconfdir},
    [PATH_TCP] = {"TCPDIR", "/tcp", auto_sysconfdir},
    [PATH_ALIAS] = {0, "/alias", auto_home},
    [PATH_DOMAINS] = {"DOMAINDIR", "/domains", auto_home},
    [PATH_QUEUES] = {"QUEUE_BASE", "/queue", auto_home},
    [PATH_MAIL] = {"BASE_PATH", "/mail", 0},
    [PATH_RUN] = {"INDIMAILRUN", "/run", 0},
    [PATH_LOG] = {"LOGDIR", "/log", 0},
    [PATH_SERVICE] = {"SERVICEDIR", 0, 0},
    [PATH_LIBEXEC] = {"LIBEXECDIR", "/libexec/indimail", auto_prefix},
};

/* Places whose compiled-in value is the whole path. */
static const char *whole(enum path which) {
  switch (which) {
    case PATH_MAIL: return auto_mailbase;
    case PATH_RUN: return auto_rundir;
    case PATH_LOG: return auto_logdir;
    case PATH_SERVICE: return auto_servicedir;
    default: return 0;
  }
}

int paths_get(enum path which, stralloc *path) {
  const struct place *p = &places[which];
  const char *v = p->variable ? env_trusted(p->variable) : 0;

  stralloc_cut(path, 0);
  if (v && *v) return stralloc_copys(path, v);
  v = env_trusted("QMAILHOME");
  if (v && *v && p->below) return stralloc_catm(path, v, p->below, (char *)0);
  if (whole(which)) return stralloc_copys(path, whole(which));
  return stralloc_catm(path, p->base, p->below, (char *)0);
}

int paths_file(enum path which, const char *name, stralloc *path) {
  return paths_get(which, path) && stralloc_catm(path, "/", name, (char *)0);
}

static const struct {
  const char *name, *dir;
} programs[] = {
#include "programs.inc"
    {0, 0},
};

int paths_program(const char *name, stralloc *path) {
  const char *bin = env_trusted("QMAILBIN");
  const char *dir = "bin";

  stralloc_cut(path, 0);
  if (bin && *bin) return stralloc_catm(path, bin, "/", name, (char *)0);
  for (size_t i = 0; programs[i].name; ++i)
    if (!strcmp(programs[i].name, name)) dir = programs[i].dir;
  return stralloc_catm(path, auto_prefix, "/", dir, "/", name, (char *)0);
}
