/* valias: shows and changes the aliases of a virtual domain. */
#include <string.h>

#include "base/bytes.h"
#include "base/options.h"
#include "base/report.h"
#include "user/alias_change.h"
#include "user/alias_line.h"
#include "user/outcome.h"

#define FATAL "valias: fatal: "
#define USAGE "valias [-vm] [--json] -s|-S|-i line|-d line|-u old -i new user@domain|@domain"

static int json;
static struct option_word words[] = {{"json", &json}, {0, 0}};

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

/* FOUND is success; anything else ends us. */
static void want(enum userdb_result r, const struct strerr *e, const char *none) {
  outcome_want(r, &(struct outcome_words){FATAL, 1, none, "the alias has this line already"}, e);
}

static void check_line(const char *line) {
  const char *why = alias_line_fault(line);

  if (why) strerr_diem(100, FATAL, line, ": ", why, (char *)0);
}

/* "alias -> line", or an object. */
static void print(struct report *r, const char *alias, const char *domain, const char *line) {
  report_item(r);
  report_text(r, "alias", 0, alias);
  report_text(r, "domain", 0, domain);
  if (line) report_text(r, "line", 0, line);
  report_words(r, alias, line ? " -> " : "@", line ? line : domain, (char *)0);
}

static void show(struct site *s, const struct address *a, struct report *r) {
  struct strlist list = {0};
  stralloc real = STRALLOC_INIT;
  struct strerr e;

  want(userdb_domain_real(&s->db, a->domain.s, &real, &e), &e, a->user.len ? "there is no such alias" : "there are no aliases");
  if (a->user.len) {
    want(userdb_alias_get(&s->db, a->user.s, real.s, &list, &e), &e, "there is no such alias");
    for (size_t i = 0; i < list.len; ++i) print(r, a->user.s, real.s, list.item[i].s);
  } else {
    want(userdb_alias_list(&s->db, real.s, &list, &e), &e, "there are no aliases");
    for (size_t i = 0; i + 1 < list.len; i += 2) print(r, list.item[i].s, real.s, list.item[i + 1].s);
  }
  stralloc_free(&real);
  strlist_free(&list);
}

static void find(struct site *s, const char *address, struct report *r) {
  struct strlist list = {0};
  struct strerr e;

  want(userdb_alias_find(&s->db, address, &list, &e), &e, "no alias delivers to that address");
  for (size_t i = 0; i + 1 < list.len; i += 2) print(r, list.item[i].s, list.item[i + 1].s, 0);
  strlist_free(&list);
}

/* user@domain, @domain, or domain alone; a name to be added must be fit for one. */
static void take_apart(const char *arg, int adding, struct address *a) {
  size_t n = strlen(arg);
  size_t at = bytes_rchr(arg, n, '@');
  const char *domain = at == n ? arg : arg + at + 1;
  const char *why = name_domain_fault(domain, strlen(domain));

  if (!why && at && at < n && adding) why = name_user_fault(arg, at);
  if (why) strerr_diem(100, FATAL, arg, ": ", why, (char *)0);
  if (!stralloc_copyb(&a->user, arg, at < n ? at : 0) || !stralloc_copys(&a->domain, domain)) strerr_die_nomem(FATAL);
  bytes_lower(a->user.s, a->user.len);
}

int main(int argc, char **argv) {
  struct site s;
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  struct report r;
  struct strerr e;
  const char *insert = 0, *delete = 0, *old = 0;
  int showing = 0, finding = 0, ignored = 0;
  const struct option options[] = {
      {'s', OPTION_FLAG, &showing, 1}, {'S', OPTION_FLAG, &finding, 1}, {'i', OPTION_STRING, &insert, 0},
      {'d', OPTION_STRING, &delete, 0}, {'u', OPTION_STRING, &old, 0},  {'v', OPTION_COUNT, &ignored, 0},
      {'m', OPTION_COUNT, &ignored, 0}, {'-', OPTION_WORDS, words, 0},
      {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 1, 1);

  if (showing + finding + !!insert + !!delete != 1 || (old && !insert) || (json && !showing && !finding)) strerr_die_usage(USAGE);
  take_apart(argv[i], insert && !old, &a);
  if (!a.user.len && !showing) strerr_die_usage(USAGE);
  if (insert) check_line(insert);
  if (site_load(&s, &e) == -1 || site_open_db(&s, 0, &e) == -1) die(&e);
  report_start(&r, json, 1, 0);
  if (showing) show(&s, &a, &r);
  else if (finding) find(&s, argv[i], &r);
  else {
    const struct alias_change c = {a.user.s, a.domain.s, old ? old : delete, insert};

    want(alias_change(&s, &c, &e), &e, insert && !old ? "there is no such domain" : "there is no such line");
  }
  if ((showing || finding) && report_finish(&r, 1, &e) == -1) die(&e);
  address_free(&a);
  site_close(&s);
  return 0;
}
