/* vadddomain: creates a virtual domain with its postmaster. */
#include <string.h>

#include "base/options.h"
#include "base/scan.h"
#include "user/domain.h"
#include "user/domain_turn.h"
#include "user/post_handle.h"
#include "user/secret.h"
#include "user/vdeliver.h"

#define FATAL "vadddomain: fatal: "
#define USAGE                                                                                            \
  "vadddomain [-vbfOR] [-E address] [-u user] [-i uid] [-g gid] [-d dir] [-B base] [-l users] [-q quota] " \
  SECRET_USAGE " domain [password] | vadddomain -t [-vR] domain"
#define CLUSTER (void *)(uintptr_t)"several hosts with parts of a domain are not served: there is one user database"
#define AUTOTURN (void *)(uintptr_t)"mail is not brought back to whoever connects from an address: with -t a server asks for it, by ETRN or ATRN"

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

/* The owner of the domain's files: -u, -i and -g, or the mail user. */
static void choose_owner(const struct site *s, const char *user, int64_t uid, int64_t gid, struct identity *owner) {
  struct strerr e;

  *owner = s->mail;
  if (user) {
    int r = identity_find(user, owner, &e);

    if (r == -1) die(&e);
    if (r == 0) strerr_diem(100, FATAL, "there is no account ", user, (char *)0);
  }
  if (uid >= 0) owner->uid = (uid_t)uid;
  if (gid >= 0) owner->gid = (gid_t)gid;
  if (owner->uid == 0) strerr_diem(100, FATAL, "a domain must not belong to root", (char *)0);
}

/* -t: to no mailboxes. */
static void add_turn(struct site *s, const char *name, int check_rcpt) {
  struct strerr e;

  if (site_domain(name, &e) == -1 || site_load(s, &e) == -1 || domain_turn_add(s, name, check_rcpt, &e) == -1) die(&e);
}

int main(int argc, char **argv) {
  struct site s;
  struct domain_new n = {.dir = "", .base = "", .handler = "bounce-no-mailbox"};
  struct secret_options secret = {0};
  const char *user = 0, *quota = 0;
  int64_t uid = -1, gid = -1;
  int verbose = 0, ignored = 0, turn = 0;
  const struct option options[] = {
      {'v', OPTION_COUNT, &verbose, 0},         {'b', OPTION_COUNT, &ignored, 0},
      {'E', OPTION_STRING, &n.handler, 0},      {'u', OPTION_STRING, &user, 0},
      {'i', OPTION_I64, &uid, 0},               {'g', OPTION_I64, &gid, 0},
      {'d', OPTION_STRING, &n.dir, 0},          {'B', OPTION_STRING, &n.base, 0},
      {'q', OPTION_STRING, &quota, 0},          {'O', OPTION_FLAG, &n.no_compile, 1},
      {'R', OPTION_FLAG, &n.check_rcpt, 1},     {'f', OPTION_FLAG, &n.filter, 1},
      {'l', OPTION_U64, &n.per_level, 1000000}, SECRET_OPTIONS(secret),
      {'t', OPTION_FLAG, &turn, 1},             {'T', OPTION_REFUSED, AUTOTURN, 0},
      {'D', OPTION_REFUSED, CLUSTER, 0},        {'H', OPTION_REFUSED, CLUSTER, 0},
      {'U', OPTION_REFUSED, CLUSTER, 0},        {'P', OPTION_REFUSED, CLUSTER, 0},
      {'p', OPTION_REFUSED, CLUSTER, 0},        {'s', OPTION_REFUSED, CLUSTER, 0},
      {'c', OPTION_REFUSED, CLUSTER, 0},        {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 1, 2);
  struct secret made = {STRALLOC_INIT, STRALLOC_INIT};
  struct strerr e;

  n.name = argv[i];
  if (turn) {
    if (argc - i > 1 || *n.base || *n.dir || quota || n.filter || n.per_level) strerr_die_usage(USAGE);
    add_turn(&s, n.name, n.check_rcpt);
    if (verbose) strerr_warnm("", "added domain ", n.name, (char *)0);
    site_close(&s);
    return post_handle_finish(FATAL, &(struct post_handle){"vadddomain", argv + 1, &s.mail, 1});
  }
  if (site_domain(n.name, &e) == -1) die(&e);
  if (!vdeliver_action_ok(n.handler)) strerr_diem(100, FATAL, "not a default action: ", n.handler, (char *)0);
  if ((*n.dir && *n.dir != '/') || (*n.base && *n.base != '/') || strchr(n.dir, ':') || strchr(n.base, ':'))
    strerr_diem(100, FATAL, "a directory must be an absolute path without a colon", (char *)0);
  if (uid < -1 || uid > INT32_MAX || gid < -1 || gid > INT32_MAX) strerr_die_usage(USAGE);
  if (site_load(&s, &e) == -1) die(&e);
  choose_owner(&s, user, uid, gid, &n.owner);
  if (!quota) quota = conf_line(&s.conf, SET_hard_quota);
  if (!quota_said(quota, &n.quota)) strerr_diem(100, FATAL, "not a quota: ", quota, (char *)0);
  if (secret_make(&secret, &s.conf, argc - i > 1 ? argv[i + 1] : 0, &made, &e) == -1) die(&e);
  n.hash = made.hash.s;
  n.scram = stralloc_cstr(&made.scram);
  if (domain_add(&s, &n, &e) == -1) die(&e);
  if (verbose) strerr_warnm("", "added domain ", n.name, (char *)0);
  secret_free(&made);
  site_close(&s);
  for (int k = i + 1; k < argc; ++k) argv[k] = 0; /* the password is nobody's business */
  return post_handle_finish(FATAL, &(struct post_handle){"vadddomain", argv + 1, &s.mail, 1});
}
