/* relay_rules: see relay_rules.h. */
#include "super/relay_rules.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "conf/paths.h"
#include "super/tcprules_relay.h"
#include "user/userdb_relay.h"

#define RULES_MAX 16777216
#define CDB_MAX 1073741824

static int no_rules(struct strerr *e) {
  return strerr_sys(e, "unable to make the rules", (char *)0);
}

static int find_file(const struct conf *conf, stralloc *path) {
  const char *named = conf_line(conf, SET_tcp_file);

  return *named ? stralloc_copys(path, named) : paths_file(PATH_TCP, "tcp.smtp", path);
}

static int read_addresses(struct site *s, struct strlist *addresses, struct strerr *e) {
  int r = site_enter_db(s, e);

  if (r == 0 && userdb_relay_list(&s->db, 60 * conf_number(&s->conf, SET_relay_clear_minutes), addresses, e) == USERDB_TEMPFAIL) r = -1;
  return identity_back(r, e);
}

/* The rules and the addresses as the bytes of a cdb. */
static int make(const char *path, const stralloc *rules, const struct strlist *addresses, stralloc *cdb, size_t *added, struct strerr *e) {
  int fd = memfd_create("cdb", MFD_CLOEXEC), r;
  struct strerr why;

  if (fd == -1) return no_rules(e);
  r = tcprules_relay(stralloc_cstr(rules), rules->len, addresses, fd, added, &why);
  if (r == -1) {
    *e = why;
    strerr_set(e, path, ": ", why.text, (char *)0);
    e->permanent = why.permanent;
  } else if (lseek(fd, 0, SEEK_SET) == -1 || fd_slurp(fd, cdb, CDB_MAX) == -1) {
    r = no_rules(e);
  }
  fd_close(fd);
  return r;
}

int relay_rules_update(struct site *s, enum relay_rules when, size_t *added, struct strerr *e) {
  struct strlist addresses = {0};
  stralloc path = STRALLOC_INIT, rules = STRALLOC_INIT, cdb = STRALLOC_INIT;
  int r = find_file(&s->conf, &path) ? file_read(path.s, &rules, RULES_MAX) : -1;
  int wanted = r == 1 || when == RELAY_RULES_ALWAYS;

  *added = 0;
  if (r == -1) strerr_sys(e, "unable to read ", stralloc_cstr(&path), (char *)0);
  if (r != -1 && wanted) r = read_addresses(s, &addresses, e);
  if (r != -1 && wanted) r = make(path.s, &rules, &addresses, &cdb, added, e);
  if (r != -1 && wanted && (!stralloc_cats(&path, ".cdb") || file_replace(path.s, cdb.s, cdb.len, 0644) == -1))
    r = strerr_sys(e, "unable to write ", path.s, (char *)0);
  strlist_free(&addresses);
  stralloc_free(&path);
  stralloc_free(&rules);
  stralloc_free(&cdb);
  return r == -1 ? -1 : 0;
}
