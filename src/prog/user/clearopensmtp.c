/* clearopensmtp: forgets from where users have logged in to read mail, once that is long ago. */
#include "base/fmt.h"
#include "base/options.h"
#include "user/site.h"
#include "user/userdb_relay.h"

#define FATAL "clearopensmtp: fatal: "
#define USAGE "clearopensmtp [-av]"

int main(int argc, char **argv) {
  struct site s;
  struct strerr e;
  int all = 0, verbose = 0;
  int64_t n = 0;
  uint64_t seconds;
  char number[FMT_U64 + 1];
  const struct option options[] = {{'a', OPTION_FLAG, &all, 1}, {'v', OPTION_COUNT, &verbose, 0}, {0, OPTION_FLAG, 0, 0}};

  options_or_die(argc, argv, options, USAGE, 0, 0);
  if (site_load(&s, &e) == -1 || site_open_db(&s, 0, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  seconds = all ? 0 : 60 * conf_number(&s.conf, SET_relay_clear_minutes);
  if (userdb_relay_clear(&s.db, seconds, &n, &e) != USERDB_FOUND) strerr_die(site_code(&e), FATAL, &e);
  if (verbose) strerr_warnm("clearopensmtp: forgotten: ", fmt_u64_z(number, (uint64_t)n), (char *)0);
  site_close(&s);
  return 0;
}
