/* vatrn: shows and changes which domains a virtual user may fetch with ATRN. */
#include <string.h>

#include "base/options.h"
#include "base/report.h"
#include "user/outcome.h"
#include "user/site.h"
#include "user/userdb_map.h"

#define FATAL "vatrn: fatal: "
#define USAGE "vatrn [-v] -s [--json] [user@domain|domain] | -i domains|-d domains|-u old -i new user@domain"

static int json;
static struct option_word words[] = {{"json", &json}, {0, 0}};

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

static void want(enum userdb_result r, const struct strerr *e, const char *none) {
  outcome_want(r, &(struct outcome_words){FATAL, 1, none, "the user may fetch that already"}, e);
}

/* Domains by commas, as qmail-smtpd takes them apart. */
static void check_list(const char *list) {
  const char *s = list, *why = 0;

  if (strlen(list) > NAME_DOMAIN_MAX) why = "a list has at most 253 characters; there may be several";
  for (;;) {
    size_t n = strcspn(s, ",");

    if (!why) why = name_domain_fault(s, n);
    if (!s[n]) break;
    s += n + 1;
  }
  if (why) strerr_diem(100, FATAL, list, ": ", why, (char *)0);
}

static void show(struct site *s, const struct address *a) {
  struct strlist list = {0};
  struct report r;
  struct strerr e;

  want(userdb_atrn_show(&s->db, stralloc_cstr(&a->user), stralloc_cstr(&a->domain), &list, &e), &e, "nobody may fetch anything");
  report_start(&r, json, 1, 0);
  for (size_t i = 0; i + 2 < list.len; i += 3) {
    const char *user = list.item[i].s, *domain = list.item[i + 1].s, *domains = list.item[i + 2].s;

    report_item(&r);
    report_text(&r, "user", 0, user);
    report_text(&r, "domain", 0, domain);
    report_text(&r, "domains", 0, domains);
    report_words(&r, user, "@", domain, " -> ", domains, (char *)0);
  }
  if (report_finish(&r, 1, &e) == -1) die(&e);
  strlist_free(&list);
}

/* Whose: an address, a domain where showing, or everybody. */
static void take_whose(const char *arg, int showing, struct address *a) {
  struct strerr e;

  if (!arg) return;
  if (!showing || strchr(arg, '@')) {
    if (site_address(arg, a, &e) == -1) die(&e);
    return;
  }
  if (site_domain(arg, &e) == -1) die(&e);
  if (!stralloc_copys(&a->domain, arg)) strerr_die_nomem(FATAL);
}

int main(int argc, char **argv) {
  struct site s;
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  struct strerr e;
  const char *insert = 0, *delete = 0, *old = 0;
  int showing = 0, verbose = 0;
  const struct option options[] = {
      {'s', OPTION_FLAG, &showing, 1},  {'i', OPTION_STRING, &insert, 0}, {'d', OPTION_STRING, &delete, 0},
      {'u', OPTION_STRING, &old, 0},    {'v', OPTION_COUNT, &verbose, 0}, {'-', OPTION_WORDS, words, 0},
      {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 0, 1);

  if (showing + !!insert + !!delete != 1 || (old && !insert) || (!showing && argc == i) || (json && !showing)) strerr_die_usage(USAGE);
  take_whose(argv[i], showing, &a);
  if (insert) check_list(insert);
  if (site_load(&s, &e) == -1 || site_open_db(&s, 0, &e) == -1) die(&e);
  if (showing) show(&s, &a);
  else if (old) want(userdb_atrn_change(&s.db, a.user.s, a.domain.s, old, insert, &e), &e, "the user may not fetch that");
  else if (insert) want(userdb_atrn_add(&s.db, a.user.s, a.domain.s, insert, &e), &e, "there is no such user");
  else want(userdb_atrn_delete(&s.db, a.user.s, a.domain.s, delete, &e), &e, "the user may not fetch that");
  if (verbose && !showing) strerr_warnm("", "changed ", argv[i], (char *)0);
  address_free(&a);
  site_close(&s);
  return 0;
}
