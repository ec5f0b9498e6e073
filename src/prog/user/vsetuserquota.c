/* vsetuserquota: sets the quota of a virtual user, and says how much of it is used. */
#include "base/options.h"
#include "base/substdio.h"
#include "user/account_change.h"

#define FATAL "vsetuserquota: fatal: "
#define USAGE "vsetuserquota [-v] user@domain quota"

static void print(const struct usage *usage) {
  stralloc line = STRALLOC_INIT;
  char buf[128];
  substdio out;

  if (!stralloc_cati64(&line, usage->bytes) || !stralloc_catlit(&line, " bytes, ") || !stralloc_cati64(&line, usage->count) ||
      !stralloc_catlit(&line, " messages\n"))
    strerr_die_nomem(FATAL);
  substdio_initfd_write(&out, 1, buf, sizeof buf);
  if (substdio_put(&out, line.s, line.len) == -1 || substdio_flush(&out) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  stralloc_free(&line);
}

int main(int argc, char **argv) {
  struct site s;
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  struct account_change c = {0};
  struct userdb_user u = {0};
  struct usage usage;
  struct strerr e;
  int verbose = 0;
  const struct option options[] = {{'v', OPTION_COUNT, &verbose, 0}, {0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 2, 2);

  c.quota = argv[i + 1];
  if (site_address(argv[i], &a, &e) == -1 || site_load(&s, &e) == -1 || account_change(&s, &a, &c, &u, &e) == -1 ||
      account_recount(&s, &u, &usage, &e) == -1)
    strerr_die(site_code(&e), FATAL, &e);
  print(&usage);
  if (verbose) strerr_warnm("", "changed the quota of ", argv[i], (char *)0);
  userdb_user_free(&u);
  address_free(&a);
  site_close(&s);
  return 0;
}
