/* vipmap: shows and changes which domain users belong to who log in to an address of ours without
 * saying one. */
#include <string.h>

#include "base/options.h"
#include "base/substdio.h"
#include "net/ip.h"
#include "user/outcome.h"
#include "user/site.h"
#include "user/userdb_map.h"

#define FATAL "vipmap: fatal: "
#define USAGE "vipmap [-v] -s | -i|-u|-d address domain"

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

static void want(enum userdb_result r, const struct strerr *e, const char *none) {
  outcome_want(r, &(struct outcome_words){FATAL, 1, none, "the address has a domain already"}, e);
}

static void show(struct site *s) {
  struct strlist list = {0};
  struct strerr e;
  char buf[4096];
  substdio out;

  want(userdb_ipmap_list(&s->db, &list, &e), &e, "no address has a domain");
  substdio_initfd_write(&out, 1, buf, sizeof buf);
  for (size_t i = 0; i + 1 < list.len; i += 2)
    if (substdio_puts(&out, list.item[i].s) == -1 || substdio_putlit(&out, " -> ") == -1 || substdio_puts(&out, list.item[i + 1].s) == -1 ||
        substdio_putlit(&out, "\n") == -1)
      strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  if (substdio_flush(&out) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  strlist_free(&list);
}

int main(int argc, char **argv) {
  struct site s;
  struct strerr e;
  struct ip ip;
  char address[IP_TEXT + 1];
  int showing = 0, inserting = 0, updating = 0, deleting = 0, verbose = 0;
  const struct option options[] = {
      {'s', OPTION_FLAG, &showing, 1},  {'p', OPTION_FLAG, &showing, 1},   {'i', OPTION_FLAG, &inserting, 1},
      {'u', OPTION_FLAG, &updating, 1}, {'d', OPTION_FLAG, &deleting, 1},  {'v', OPTION_COUNT, &verbose, 0},
      {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 0, 2);
  const char *domain = argv[argc - 1];

  if (showing + inserting + updating + deleting != 1 || argc - i != (showing ? 0 : 2)) strerr_die_usage(USAGE);
  if (!showing) {
    if (!ip_scan(argv[i], strlen(argv[i]), &ip)) strerr_diem(100, FATAL, argv[i], ": an IP address is wanted", (char *)0);
    address[ip_fmt(address, &ip)] = 0; /* each has one text, whatever it was written as */
    if (site_domain(domain, &e) == -1) die(&e);
  }
  if (site_load(&s, &e) == -1 || site_open_db(&s, 0, &e) == -1) die(&e);
  if (showing) show(&s);
  else if (inserting) want(userdb_ipmap_add(&s.db, address, domain, &e), &e, "there is no such domain");
  else if (updating) want(userdb_ipmap_change(&s.db, address, domain, &e), &e, "there is no such domain, or the address has none yet");
  else want(userdb_ipmap_delete(&s.db, address, domain, &e), &e, "the address does not have that domain");
  if (verbose && !showing) strerr_warnm("", "changed ", address, (char *)0);
  site_close(&s);
  return 0;
}
