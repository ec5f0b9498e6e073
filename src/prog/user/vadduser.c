/* vadduser: adds a user to a virtual domain. */
#include <string.h>

#include "base/options.h"
#include "user/account.h"
#include "user/post_handle.h"
#include "user/secret.h"

#define FATAL "vadduser: fatal: "
#define CLUSTER (void *)(uintptr_t)"there is one mail store: users of others are not made here"
#define USAGE "vadduser [-vdi] [-c comment] [-q quota] [-B base|-b] [-l users] " SECRET_USAGE " user@domain [password]"

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

int main(int argc, char **argv) {
  struct site s;
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  struct secret_options secret = {0};
  struct account_new n = {.address = &a, .base = "", .active = 1};
  const char *quota = 0;
  struct quota wanted;
  int verbose = 0;
  const struct option options[] = {
      {'v', OPTION_COUNT, &verbose, 0},         {'c', OPTION_STRING, &n.gecos, 0},
      {'d', OPTION_FLAG, &n.create, 1},         {'q', OPTION_STRING, &quota, 0},
      {'i', OPTION_FLAG, &n.active, 0},         {'B', OPTION_STRING, &n.base, 0},
      {'l', OPTION_U64, &n.per_level, 1000000}, {'b', OPTION_FLAG, &n.balance, 1},
      SECRET_OPTIONS(secret),
      {'H', OPTION_REFUSED, CLUSTER, 0},        {'M', OPTION_REFUSED, CLUSTER, 0},
      {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 1, 2);
  struct secret made = {STRALLOC_INIT, STRALLOC_INIT};
  struct strerr e;

  if (n.balance && *n.base) strerr_die_usage(USAGE);
  if (site_address(argv[i], &a, &e) == -1) die(&e);
  if (!n.gecos) n.gecos = a.user.s;
  if (!account_gecos_ok(n.gecos)) strerr_diem(100, FATAL, "a comment has at most 255 characters, no colon and no control character", (char *)0);
  if (*n.base && (*n.base != '/' || strchr(n.base, ':')))
    strerr_diem(100, FATAL, "a directory must be an absolute path without a colon", (char *)0);
  if (site_load(&s, &e) == -1) die(&e);
  if (site_new_name(&s, &a, &e) == -1) die(&e);
  if (quota && !quota_said(quota, &wanted)) strerr_diem(100, FATAL, "not a quota: ", quota, (char *)0);
  n.quota = quota ? &wanted : 0;
  secret.domain = a.domain.s;
  if (secret_make(&secret, &s.conf, argc - i > 1 ? argv[i + 1] : 0, &made, &e) == -1) die(&e);
  n.hash = made.hash.s;
  n.scram = stralloc_cstr(&made.scram);
  if (account_add(&s, &n, &e) == -1) die(&e);
  if (verbose) strerr_warnm("", "added user ", a.user.s, "@", a.domain.s, (char *)0);
  secret_free(&made);
  site_close(&s);
  return post_handle_finish(FATAL, &(struct post_handle){"vadduser", (char *[]){argv[i], 0}, &s.mail, 0});
}
