/* updaterules: compiles the rules of tcpserver for SMTP, with the addresses users have logged in from to
 * read mail: mail before SMTP for servers that take $RELAYCLIENT from tcpserver. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/fmt.h"
#include "base/options.h"
#include "conf/paths.h"
#include "super/tcprules_relay.h"
#include "user/site.h"
#include "user/userdb_relay.h"

#define FATAL "updaterules: fatal: "
#define USAGE "updaterules [-v]"
#define RULES_MAX 16777216
#define CDB_MAX 1073741824

static void find_file(const struct conf *conf, stralloc *path) {
  const char *named = conf_line(conf, SET_tcp_file);

  if (!(*named ? stralloc_copys(path, named) : paths_file(PATH_TCP, "tcp.smtp", path))) strerr_die_nomem(FATAL);
}

/* The rules and the addresses as the bytes of a cdb. */
static void make(const char *path, const stralloc *rules, const struct strlist *addresses, stralloc *cdb, size_t *added) {
  int fd = memfd_create("cdb", MFD_CLOEXEC);
  struct strerr e;

  if (fd == -1) strerr_diem_sys(111, FATAL, "unable to make the rules", (char *)0);
  if (tcprules_relay(stralloc_cstr(rules), rules->len, addresses, fd, added, &e) == -1) strerr_diem(site_code(&e), FATAL, path, ": ", e.text, (char *)0);
  if (lseek(fd, 0, SEEK_SET) == -1 || fd_slurp(fd, cdb, CDB_MAX) == -1) strerr_diem_sys(111, FATAL, "unable to make the rules", (char *)0);
  close(fd);
}

int main(int argc, char **argv) {
  int verbose = 0;
  const struct option options[] = {{'v', OPTION_COUNT, &verbose, 0}, {0, OPTION_FLAG, 0, 0}};
  struct strlist addresses = {0};
  stralloc path = STRALLOC_INIT, rules = STRALLOC_INIT, cdb = STRALLOC_INIT;
  char number[FMT_U64 + 1];
  struct site s;
  struct strerr e;
  size_t added;

  options_or_die(argc, argv, options, USAGE, 0, 0);
  if (site_load(&s, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  find_file(&s.conf, &path);
  if (file_read(path.s, &rules, RULES_MAX) == -1) strerr_diem_sys(111, FATAL, "unable to read ", path.s, (char *)0);
  if (site_open_db(&s, 0, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  if (userdb_relay_list(&s.db, 60 * conf_number(&s.conf, SET_relay_clear_minutes), &addresses, &e) == USERDB_TEMPFAIL) strerr_die(site_code(&e), FATAL, &e);
  if (identity_leave(&e) == -1) strerr_die(site_code(&e), FATAL, &e);
  make(path.s, &rules, &addresses, &cdb, &added);
  if (!stralloc_cats(&path, ".cdb")) strerr_die_nomem(FATAL);
  if (file_replace(path.s, cdb.s, cdb.len, 0644) == -1) strerr_diem_sys(111, FATAL, "unable to write ", path.s, (char *)0);
  if (verbose) strerr_warnm("updaterules: addresses that may relay: ", fmt_u64_z(number, added), (char *)0);
  strlist_free(&addresses);
  stralloc_free(&path);
  stralloc_free(&rules);
  stralloc_free(&cdb);
  site_close(&s);
  return 0;
}
