/* vipmap: shows and changes which domain users belong to who log in to an address of ours without
 * saying one. */
#include <string.h>

#include "base/options.h"
#include "base/report.h"
#include "net/ip.h"
#include "user/outcome.h"
#include "user/site.h"
#include "user/userdb_map.h"

#define FATAL "vipmap: fatal: "
#define USAGE "vipmap [-v] -s [--json] | -i|-u|-d address domain"

static int json;
static struct option_word words[] = {{"json", &json}, {0, 0}};

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

static void want(enum userdb_result r, const struct strerr *e, const char *none) {
  outcome_want(r, &(struct outcome_words){FATAL, 1, none, "the address has a domain already"}, e);
}

static void show(struct site *s) {
  struct strlist list = {0};
  struct report r;
  struct strerr e;

  want(userdb_ipmap_list(&s->db, &list, &e), &e, "no address has a domain");
  report_start(&r, json, 1, 0);
  for (size_t i = 0; i + 1 < list.len; i += 2) {
    report_item(&r);
    report_text(&r, "address", 0, list.item[i].s);
    report_text(&r, "domain", 0, list.item[i + 1].s);
    report_words(&r, list.item[i].s, " -> ", list.item[i + 1].s, (char *)0);
  }
  if (report_finish(&r, 1, &e) == -1) die(&e);
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
      {'-', OPTION_WORDS, words, 0},    {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 0, 2);
  const char *domain = argv[argc - 1];

  if (showing + inserting + updating + deleting != 1 || argc - i != (showing ? 0 : 2) || (json && !showing)) strerr_die_usage(USAGE);
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
