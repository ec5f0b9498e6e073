/* vdeluser: removes a user of a virtual domain with all mail. */
#include <unistd.h>

#include "base/fd.h"
#include "base/options.h"
#include "user/account.h"
#include "user/post_handle.h"

#define FATAL "vdeluser: fatal: "
#define USAGE "vdeluser [-v] user@domain"

/* Mailboxes the standards ask for are removed only on a clear yes. */
static void confirm(const char *address) {
  char c = 0;

  strerr_warnm("vdeluser: ", address, " is a mailbox every domain must have; remove it all the same? (y/n)", (char *)0);
  if (fd_read_all(0, &c, 1) != 1 || (c != 'y' && c != 'Y')) strerr_diem(100, FATAL, "nothing removed", (char *)0);
}

int main(int argc, char **argv) {
  struct site s;
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  struct strerr e;
  int verbose = 0;
  const struct option options[] = {{'v', OPTION_COUNT, &verbose, 0}, {0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 1, 1);

  if (site_address(argv[i], &a, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  if (account_is_reserved(a.user.s)) confirm(argv[i]);
  if (site_load(&s, &e) == -1 || account_delete(&s, &a, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  if (verbose) strerr_warnm("", "removed user ", argv[i], (char *)0);
  address_free(&a);
  site_close(&s);
  return post_handle_finish(FATAL, &(struct post_handle){"vdeluser", (char *[]){argv[i], 0}, &s.mail, 0});
}
