/* clearopensmtp: forgets from where users have logged in to read mail, once that is long ago: in the user
 * database, and in the rules of tcpserver. */
#include "base/fmt.h"
#include "base/options.h"
#include "super/relay_rules.h"
#include "user/userdb_relay.h"

#define FATAL "clearopensmtp: fatal: "
#define CLUSTER (void *)(uintptr_t)"there is one user database, and no other mail stores' to clear"
#define USAGE "clearopensmtp [-av] [-s|-t]"

static void say(const char *what, uint64_t n) {
  char number[FMT_U64 + 1];

  strerr_warnm("clearopensmtp: ", what, ": ", fmt_u64_z(number, n), (char *)0);
}

static int clear(struct site *s, int all, int64_t *n, struct strerr *e) {
  uint64_t seconds = all ? 0 : 60 * conf_number(&s->conf, SET_relay_clear_minutes);
  int r = site_enter_db(s, e);

  if (r == 0 && userdb_relay_clear(&s->db, seconds, n, e) != USERDB_FOUND) r = -1;
  return identity_back(r, e);
}

int main(int argc, char **argv) {
  struct site s;
  struct strerr e;
  int all = 0, table = 0, rules = 0, verbose = 0;
  int64_t n = 0;
  size_t added = 0;
  const struct option options[] = {{'a', OPTION_FLAG, &all, 1},   {'s', OPTION_FLAG, &table, 1},   {'t', OPTION_FLAG, &rules, 1},
                                   {'v', OPTION_COUNT, &verbose, 0}, {'C', OPTION_REFUSED, CLUSTER, 0}, {0, OPTION_FLAG, 0, 0}};

  options_or_die(argc, argv, options, USAGE, 0, 0);
  if ((table && rules) || (all && rules)) strerr_die_usage(USAGE);
  if (site_load(&s, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  if (!rules) {
    if (clear(&s, all, &n, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
    if (verbose) say("forgotten", (uint64_t)n);
  }
  if (!table) {
    if (relay_rules_update(&s, rules ? RELAY_RULES_ALWAYS : RELAY_RULES_IF_THERE, &added, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
    if (verbose) say("addresses that may relay", added);
  }
  site_close(&s);
  return 0;
}
