/* domain_modify: what a domain does with mail, limits and passwords: files of its directory,
 * changed as its owner. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "user/domain_files.h"
#include "user/domain_part.h"
#include "user/limits.h"

static int path_of(const struct userdb_domain *d, const char *name, stralloc *path, struct strerr *e) {
  stralloc_cut(path, 0);
  return stralloc_catm(path, stralloc_cstr(&d->dir), "/", name, (char *)0) ? 0 : domain_no_memory(e);
}

/* A file with this text; null: no file. */
static int set_file(const struct userdb_domain *d, const char *name, const char *text, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int r = path_of(d, name, &path, e);

  if (r == 0 && text && (r = file_replace(path.s, text, strlen(text), 0640)) == -1)
    strerr_sys(e, "unable to write ", path.s, (char *)0);
  if (r == 0 && !text && (r = unlink(path.s)) == -1) r = errno == ENOENT ? 0 : strerr_sys(e, "unable to remove ", path.s, (char *)0);
  stralloc_free(&path);
  return r;
}

static int change_default(const struct userdb_domain *d, const struct domain_change *c, const struct identity *owner,
                          struct strerr *e) {
  stralloc handler = STRALLOC_INIT;
  int filter, r = c->filter == 1 ? domain_filter_check(e) : 0;

  if (r == 0) r = domain_default_read(d->dir.s, &filter, &handler, e);
  if (r == 0) {
    const struct domain_default new = {.filter = c->filter == -1 ? filter : c->filter,
                                       .handler = c->handler ? c->handler : handler.s};

    r = domain_default_write(d->dir.s, &new, owner, e);
  }
  stralloc_free(&handler);
  return r;
}

static int set_method(const struct userdb_domain *d, const char *method, struct strerr *e) {
  stralloc text = STRALLOC_INIT;
  int r = stralloc_catm(&text, method, "\n", (char *)0) ? set_file(d, "hash_method", *method ? text.s : 0, e) : domain_no_memory(e);

  stralloc_free(&text);
  return r;
}

static int change(const struct userdb_domain *d, const struct domain_change *c, struct strerr *e) {
  const struct identity owner = {d->uid, d->gid};
  int r = identity_enter(&owner, e);

  if (r == 0 && (c->handler || c->filter != -1)) r = change_default(d, c, &owner, e);
  if (r == 0 && c->limits != -1) r = set_file(d, LIMITS_FILE, c->limits ? "" : 0, e);
  if (r == 0 && c->method) r = set_method(d, c->method, e);
  return identity_back(r, e);
}

static int get_real(struct site *s, const char *name, struct userdb_domain *d, struct strerr *e) {
  stralloc real = STRALLOC_INIT;
  int r = domain_rows_open(s, e);
  enum userdb_result v = r == 1 ? userdb_domain_real(&s->db, name, &real, e) : USERDB_NONE;

  if (v == USERDB_FOUND) v = userdb_domain_get(&s->db, real.s, d, e);
  if (r != -1) r = v == USERDB_FOUND ? 0 : v == USERDB_NONE ? site_permanent(e, name, "there is no such domain") : -1;
  stralloc_free(&real);
  return identity_back(r, e);
}

int domain_modify(struct site *s, const char *name, const struct domain_change *c, struct strerr *e) {
  struct userdb_domain d = {0};
  int lock = site_lock(e);
  int r = lock == -1 ? -1 : get_real(s, name, &d, e);

  if (r == 0) r = change(&d, c, e);
  userdb_domain_free(&d);
  fd_close(lock);
  return r;
}
