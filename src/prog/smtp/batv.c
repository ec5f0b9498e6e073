/* batv: signs a sender or looks at a bounce tag, with the keys of control/batvkey. */
#include <string.h>

#include "base/now.h"
#include "base/options.h"
#include "base/strerr.h"
#include "base/substdio.h"
#include "conf/conf.h"
#include "mail/batv.h"

#define FATAL "batv: fatal: "
#define USAGE "batv [-t days] -s sender | -v recipient"

static int print(const stralloc *address) {
  char buf[512];
  substdio out;

  substdio_initfd_write(&out, 1, buf, sizeof buf);
  if (substdio_put(&out, address->s, address->len) == -1 || substdio_putlit(&out, "\n") == -1 || substdio_flush(&out) == -1)
    strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  return 0;
}

/* The exit code says what is wrong with it. */
static int verify(const char *recipient, const struct strlist *keys, uint64_t days) {
  stralloc plain = STRALLOC_INIT;

  switch (batv_check(recipient, strlen(recipient), keys, wall_now(), days, &plain)) {
    case BATV_GOOD: return print(&plain);
    case BATV_NONE: strerr_diem(1, FATAL, "no tag: ", recipient, (char *)0);
    case BATV_BAD: strerr_diem(2, FATAL, "no tag of ours: ", recipient, (char *)0);
    case BATV_STALE: strerr_diem(3, FATAL, "too old: ", recipient, (char *)0);
    case BATV_NO_MEMORY: break;
  }
  strerr_die_nomem(FATAL);
}

int main(int argc, char **argv) {
  const char *sender = 0, *recipient = 0;
  uint64_t days = UINT64_MAX;
  stralloc out = STRALLOC_INIT;
  struct conf conf;
  struct strerr e;
  const struct option table[] = {{'s', OPTION_STRING, &sender, 0}, {'v', OPTION_STRING, &recipient, 0}, {'t', OPTION_U64, &days, 999}, {0, OPTION_FLAG, 0, 0}};
  const struct strlist *keys;

  (void)options_or_die(argc, argv, table, USAGE, 0, 0);
  if (!sender == !recipient) strerr_die_usage(USAGE);
  if (conf_load(&conf, CONF_SMTPD, &e) == -1) strerr_die(111, FATAL, &e);
  keys = conf_lines(&conf, SET_batvkey);
  if (!keys->len) strerr_diem(111, FATAL, "there is no key in control/batvkey", (char *)0);
  if (recipient) return verify(recipient, keys, days == UINT64_MAX ? conf_number(&conf, SET_batvkeystale) : days);
  if (!batv_sign(&out, sender, strlen(sender), keys->item[0].s, wall_now())) strerr_die_nomem(FATAL);
  return print(&out);
}
