/* updaterules: compiles the rules of tcpserver for SMTP, with the addresses users have logged in from to
 * read mail: mail before SMTP for servers that take $RELAYCLIENT from tcpserver. */
#include "base/fmt.h"
#include "base/options.h"
#include "super/relay_rules.h"

#define FATAL "updaterules: fatal: "
#define USAGE "updaterules [-v]"

int main(int argc, char **argv) {
  int verbose = 0;
  const struct option options[] = {{'v', OPTION_COUNT, &verbose, 0}, {0, OPTION_FLAG, 0, 0}};
  char number[FMT_U64 + 1];
  struct site s;
  struct strerr e;
  size_t added;

  options_or_die(argc, argv, options, USAGE, 0, 0);
  if (site_load(&s, &e) == -1 || relay_rules_update(&s, RELAY_RULES_ALWAYS, &added, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  if (verbose) strerr_warnm("updaterules: addresses that may relay: ", fmt_u64_z(number, added), (char *)0);
  site_close(&s);
  return 0;
}
