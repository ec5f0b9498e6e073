/* vpasswd: sets the password of a virtual user. */
#include "base/options.h"
#include "user/account.h"
#include "user/post_handle.h"
#include "user/secret.h"

#define FATAL "vpasswd: fatal: "
#define USAGE "vpasswd [-v] " SECRET_USAGE " user@domain [password]"

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

int main(int argc, char **argv) {
  struct site s;
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  struct secret_options secret = {0};
  struct secret made = {STRALLOC_INIT, STRALLOC_INIT};
  struct strerr e;
  int verbose = 0;
  const struct option options[] = {
      {'v', OPTION_COUNT, &verbose, 0},
      SECRET_OPTIONS(secret),
      {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 1, 2);

  if (site_address(argv[i], &a, &e) == -1 || site_load(&s, &e) == -1) die(&e);
  secret.domain = a.domain.s;
  if (secret_make(&secret, &s.conf, argc - i > 1 ? argv[i + 1] : 0, &made, &e) == -1) die(&e);
  if (account_passwd(&s, &a, made.hash.s, stralloc_cstr(&made.scram), &e) == -1) die(&e);
  if (verbose) strerr_warnm("", "changed the password of ", argv[i], (char *)0);
  secret_free(&made);
  address_free(&a);
  site_close(&s);
  return post_handle_finish(FATAL, &(struct post_handle){"vpasswd", (char *[]){argv[i], 0}, &s.mail, 0});
}
