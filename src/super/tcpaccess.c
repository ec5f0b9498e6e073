/* tcpaccess: see tcpaccess.h. */
#include "super/tcpaccess.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"

void tcpaccess_forget(struct tcpaccess *a) {
  a->found = 0;
  a->pos = 0;
}

void tcpaccess_close(struct tcpaccess *a) {
  if (a->open) cdb_free(&a->c);
  a->open = 0;
  tcpaccess_forget(a);
}

/* 1 allow, 0 deny, -1 damaged. */
static int verdict(const struct tcpaccess *a) {
  const char *var;
  size_t pos = 0;
  int allow = 1, what;

  while ((what = tcprules_next(cdb_data(&a->c), a->c.dlen, &pos, &var)) > 0)
    if (what == 'D') allow = 0;
  return what == -1 ? -1 : allow;
}

int tcpaccess_check(struct tcpaccess *a, const char *path, int optional,
                    const struct tcprules_client *who, struct strerr *e) {
  const uint64_t stamp = file_stamp(0, path);
  int r = 1;

  if (stamp != a->stamp) tcpaccess_close(a);
  tcpaccess_forget(a);
  if (!a->open) r = cdb_open(&a->c, path);
  if (r == 0 && optional) return 1;
  if (r == 0) errno = ENOENT;
  if (r != 1) return strerr_sys(e, "unable to read ", path, (char *)0);
  a->open = 1;
  a->stamp = stamp;
  r = tcprules_find(&a->c, who, &a->key);
  if (r == -1) return strerr_sys(e, "unable to read ", path, (char *)0);
  a->found = r;
  r = r ? verdict(a) : 1;
  return r == -1 ? strerr_set(e, path, ": damaged rule ", stralloc_cstr(&a->key), (char *)0) : r;
}

const char *tcpaccess_next(struct tcpaccess *a) {
  const char *var;
  int what;

  if (!a->found) return 0;
  while ((what = tcprules_next(cdb_data(&a->c), a->c.dlen, &a->pos, &var)) > 0)
    if (what == '+') return var;
  return 0;
}

const char *tcpaccess_get(const struct tcpaccess *a, const char *name) {
  size_t len = strlen(name);
  const char *var, *value = 0;
  size_t pos = 0;
  int what;

  if (!a->found) return 0;
  while ((what = tcprules_next(cdb_data(&a->c), a->c.dlen, &pos, &var)) > 0)
    if (what == '+' && !strncmp(var, name, len) && var[len] == '=') value = var + len + 1;
  return value;
}

static const char *known(const char *s) {
  return s ? s : "";
}

int tcpaccess_local(stralloc *s, const char *host, const char *ip, const char *port) {
  stralloc_cut(s, 0);
  return stralloc_catm(s, known(host), ":", known(ip), ":", known(port), (char *)0);
}

int tcpaccess_remote(stralloc *s, const char *host, const char *ip, const char *info, const char *port) {
  stralloc_cut(s, 0);
  return stralloc_catm(s, known(host), ":", known(ip), ":", known(info), ":", known(port), (char *)0);
}
