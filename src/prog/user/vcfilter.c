/* vcfilter: shows and changes the rules of vfilter. */
#include <string.h>

#include "base/options.h"
#include "base/report.h"
#include "user/filter_form.h"
#include "user/filter_mark.h"
#include "user/outcome.h"
#include "user/site.h"

#define FATAL "vcfilter: fatal: "
#define USAGE                                                                                               \
  "vcfilter -s [--json] address | -d number address | -i|-u number [-t name] [-h header] [-c comparison] [-k keyword]" \
  " [-f folder] [-b action] [-C] address"

static int json;
static struct option_word words[] = {{"json", &json}, {0, 0}};

static void want(enum userdb_result r, const struct strerr *e, const char *none) {
  outcome_want(r, &(struct outcome_words){FATAL, 1, none, "there is a rule that says the same"}, e);
}

/* "number name: header comparison keyword -> folder, action" */
static int print(void *ctx, const struct userdb_filter *f) {
  const char *header = f->comparison == FILTER_NOT_TO_ME ? "" : f->header, *blank = *header ? " " : "";
  struct report *r = ctx;
  stralloc number = STRALLOC_INIT;

  if (!stralloc_cati64(&number, f->number)) strerr_die_nomem(FATAL);
  report_item(r);
  report_number(r, "number", 0, f->number);
  report_text(r, "name", 0, f->name);
  report_text(r, "header", 0, header);
  report_text(r, "comparison", 0, filter_comparison_name(f->comparison));
  report_text(r, "keyword", 0, f->keyword);
  report_text(r, "folder", 0, f->folder);
  report_text(r, "action", 0, f->action);
  report_words(r, number.s, " ", f->name, ": ", header, blank, filter_comparison_name(f->comparison), blank, f->keyword, " -> ", f->folder, ", ", f->action,
               (char *)0);
  stralloc_free(&number);
  return 0;
}

static void check(struct userdb_filter *f, const char *comparison) {
  const char *why;

  if (!filter_comparison_find(comparison, &f->comparison))
    strerr_diem(100, FATAL, comparison, ": comparisons are equals, contains, not, starts, ends, nottome, number, regex, or 0 to 7", (char *)0);
  if (f->comparison == FILTER_NOT_TO_ME) f->header = f->keyword = "";
  else if (filter_header(f->header)) f->header = filter_header(f->header);
  why = filter_form_fault(f);
  if (why) strerr_diem(100, FATAL, why, (char *)0);
}

int main(int argc, char **argv) {
  struct site s;
  struct report r;
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  stralloc real = STRALLOC_INIT;
  struct userdb_filter f = {.name = "filter", .header = "", .keyword = "", .folder = "Inbox", .action = "0"};
  const char *comparison = "contains";
  uint64_t delete = 0, update = 0;
  int showing = 0, inserting = 0, elsewhere = 0, ignored = 0;
  struct strerr e;
  const struct option options[] = {
      {'s', OPTION_FLAG, &showing, 1},      {'i', OPTION_FLAG, &inserting, 1},    {'d', OPTION_U64, &delete, 1000000},   {'u', OPTION_U64, &update, 1000000},
      {'t', OPTION_STRING, &f.name, 0},     {'h', OPTION_STRING, &f.header, 0},   {'c', OPTION_STRING, &comparison, 0},  {'k', OPTION_STRING, &f.keyword, 0},
      {'f', OPTION_STRING, &f.folder, 0},   {'b', OPTION_STRING, &f.action, 0},   {'v', OPTION_COUNT, &ignored, 0},      {'C', OPTION_FLAG, &elsewhere, 1},
      {'r', OPTION_COUNT, &ignored, 0},     {'-', OPTION_WORDS, words, 0},
      {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 1, 1);

  if (showing + inserting + !!delete + !!update != 1 || (json && !showing)) strerr_die_usage(USAGE);
  if (inserting || update) check(&f, comparison);
  if (site_address(argv[i], &a, &e) == -1 || site_load(&s, &e) == -1 || site_open_db(&s, 0, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  want(userdb_domain_real(&s.db, a.domain.s, &real, &e), &e, "there is no such domain");
  report_start(&r, json, 1, 0);
  f.number = (int64_t)update;
  if (showing) want(userdb_filter_each(&s.db, a.user.s, real.s, print, &r, &e), &e, "there are no rules");
  else if (inserting) want(userdb_filter_add(&s.db, a.user.s, real.s, &f, &e), &e, "there are 255 rules already");
  else if (update) want(userdb_filter_change(&s.db, a.user.s, real.s, &f, &e), &e, "there is no such rule");
  else want(userdb_filter_delete(&s.db, a.user.s, real.s, (int64_t)delete, &e), &e, "there is no such rule");
  if (showing && report_finish(&r, 1, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  if (!showing && !elsewhere && filter_mark(&s, a.user.s, real.s, &e) == -1) strerr_warn("vcfilter: warning: the change counts, but: ", &e);
  stralloc_free(&real);
  address_free(&a);
  site_close(&s);
  return 0;
}
