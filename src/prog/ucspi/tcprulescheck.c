/* tcprulescheck: shows what a file of compiled rules says of the client described by
 * TCPREMOTEIP, TCPREMOTEHOST and TCPREMOTEINFO. */
#include "base/env.h"
#include "base/options.h"
#include "base/substdio.h"
#include "super/tcprules.h"

#define FATAL "tcprulescheck: fatal: "

static void put(substdio *out, const char *a, const char *b, const char *c) {
  if (substdio_puts(out, a) == -1 || substdio_puts(out, b) == -1 || substdio_puts(out, c) == -1)
    strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
}

static void show(substdio *out, const struct cdb *c, const char *path) {
  const char *var;
  size_t pos = 0;
  int denied = 0, what;

  while ((what = tcprules_next(cdb_data(c), c->dlen, &pos, &var)) > 0) {
    if (what == 'D') denied = 1;
    else put(out, "set environment variable ", var, "\n");
  }
  if (what == -1) strerr_diem(111, FATAL, path, ": damaged rule", (char *)0);
  put(out, denied ? "deny" : "allow", " connection\n", "");
}

int main(int argc, char **argv) {
  const struct option table[] = {{0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, table, "tcprulescheck rules.cdb", 1, 1);
  const struct tcprules_client who = {env_get("TCPREMOTEIP"), env_get("TCPREMOTEHOST"), env_get("TCPREMOTEINFO")};
  char buf[SUBSTDIO_SIZE];
  substdio out;
  stralloc key = STRALLOC_INIT;
  struct cdb c;
  int r = cdb_open(&c, argv[i]);

  if (r != 1) strerr_diem_sys(111, FATAL, "unable to read ", argv[i], (char *)0);
  substdio_initfd_write(&out, 1, buf, sizeof buf);
  r = tcprules_find(&c, &who, &key);
  if (r == -1) strerr_diem_sys(111, FATAL, "unable to read ", argv[i], (char *)0);
  put(&out, r ? "rule " : "default", r ? stralloc_cstr(&key) : "", ":\n");
  if (r) show(&out, &c, argv[i]);
  else put(&out, "allow connection\n", "", "");
  if (substdio_flush(&out) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  return 0;
}
