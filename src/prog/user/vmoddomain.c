/* vmoddomain: changes what a virtual domain does with mail, limits and passwords. */
#include <string.h>

#include "base/options.h"
#include "crypt/password.h"
#include "user/domain.h"
#include "user/vdeliver.h"

#define FATAL "vmoddomain: fatal: "
#define USAGE "vmoddomain [-v] [-l 0|1] [-f 0|1] [-h handler] [-H method] domain"

int main(int argc, char **argv) {
  struct site s;
  struct strerr e;
  struct domain_change c = {.filter = -1, .limits = -1};
  uint64_t filter = UINT64_MAX, limits = UINT64_MAX;
  int verbose = 0;
  const struct option options[] = {
      {'v', OPTION_COUNT, &verbose, 0},    {'l', OPTION_U64, &limits, 1},       {'f', OPTION_U64, &filter, 1},
      {'h', OPTION_STRING, &c.handler, 0}, {'H', OPTION_STRING, &c.method, 0}, {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 1, 1);
  enum password_scheme scheme;

  if (site_domain(argv[i], &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  if (filter <= 1) c.filter = (int)filter;
  if (limits <= 1) c.limits = (int)limits;
  if (c.filter == -1 && c.limits == -1 && !c.handler && !c.method) strerr_die_usage(USAGE);
  if (c.handler && !vdeliver_action_ok(c.handler)) strerr_diem(100, FATAL, "not a default action: ", c.handler, (char *)0);
  if (c.method && *c.method && !password_scheme_find(c.method, &scheme))
    strerr_diem(100, FATAL, "unknown or unsafe hash method ", c.method, (char *)0);
  if (site_load(&s, &e) == -1 || domain_modify(&s, argv[i], &c, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  if (verbose) strerr_warnm("", "changed domain ", argv[i], (char *)0);
  site_close(&s);
  return 0;
}
