/* vrenameuser: gives a virtual user another name, with all mail. */
#include "base/options.h"
#include "user/account.h"
#include "user/post_handle.h"

#define FATAL "vrenameuser: fatal: "
#define USAGE "vrenameuser [-v] old@domain new@domain"

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

int main(int argc, char **argv) {
  struct site s;
  struct address from = {STRALLOC_INIT, STRALLOC_INIT}, to = {STRALLOC_INIT, STRALLOC_INIT};
  const struct account_move m = {.from = &from, .to = &to, .base = ""};
  stralloc old = STRALLOC_INIT, new = STRALLOC_INIT;
  struct strerr e;
  int verbose = 0;
  const struct option options[] = {{'v', OPTION_COUNT, &verbose, 0}, {0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 2, 2);

  if (site_address(argv[i], &from, &e) == -1 || site_address(argv[i + 1], &to, &e) == -1) die(&e);
  if (account_is_reserved(from.user.s))
    strerr_diem(100, FATAL, argv[i], " is a mailbox every domain must have", (char *)0);
  if (site_load(&s, &e) == -1 || site_new_name(&s, &to, &e) == -1) die(&e);
  if (account_move(&s, &m, &old, &new, &e) == -1) die(&e);
  if (verbose) strerr_warnm("", "renamed ", argv[i], " to ", argv[i + 1], ", home ", new.s, (char *)0);
  site_close(&s);
  return post_handle_finish(FATAL, &(struct post_handle){"vrenameuser", argv + i, &s.mail, 0});
}
