/* vbulletin: puts a message into the mailboxes of all users of virtual domains. */
#include <string.h>

#include "base/fmt.h"
#include "base/options.h"
#include "base/report.h"
#include "user/bulletin.h"
#include "user/bulletin_wait.h"

#define FATAL "vbulletin: fatal: "
#define LINKS (void *)(uintptr_t)"each mailbox gets a copy of its own: who changes a link changes it for all"
#define USAGE "vbulletin [-cnvV] [--json] [-e file] [-S file] -f file [domain...] | vbulletin -a -f file [domain...]"

static int json;
static struct option_word words[] = {{"json", &json}, {0, 0}};
static struct report report;
static struct bulletin b;
static int verbose, code;

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

static void tell(void *ctx, const struct userdb_user *u, enum bulletin_outcome outcome) {
  struct strerr e;

  (void)ctx;
  if (!json && !verbose && !(b.dry && outcome == BULLETIN_SENT)) return;
  progress_clear(&b.progress);
  report_item(&report);
  report_text(&report, "user", 0, u->name.s);
  report_text(&report, "domain", 0, u->domain.s);
  report_flag(&report, "had", outcome == BULLETIN_HAD);
  report_flag(&report, "got", outcome == BULLETIN_SENT && !b.dry);
  report_words(&report, u->name.s, "@", u->domain.s, outcome == BULLETIN_HAD ? ": has it" : b.dry ? ": would get it" : ": got it", (char *)0);
  if (report_show(&report, 1, &e) == -1) die(&e);
}

static void fault(void *ctx, const struct strerr *e) {
  (void)ctx;
  progress_clear(&b.progress);
  strerr_warn("vbulletin: warning: ", e);
  code = 111;
}

static void print_sums(void) {
  char sent[FMT_U64 + 1], had[FMT_U64 + 1];

  report_words(&report, fmt_u64_z(sent, b.count[BULLETIN_SENT]), b.dry ? " would get it, " : " got it, ", fmt_u64_z(had, b.count[BULLETIN_HAD]),
               " had it before", (char *)0);
}

/* What the file is called where it waits. */
static void leave(struct site *s, const char *file, int argc, char **argv) {
  const char *slash = strrchr(file, '/');
  stralloc name = STRALLOC_INIT;
  struct strerr e;
  int i = 0;

  if (!stralloc_copys(&name, slash ? slash + 1 : file) || (!strstr(name.s, BULLETIN_FOR_ALL) && !stralloc_cats(&name, BULLETIN_FOR_ALL))) strerr_die_nomem(FATAL);
  do
    if (bulletin_leave(s, argc ? argv[i] : 0, &b, name.s, &e) == -1) die(&e);
  while (++i < argc);
  stralloc_free(&name);
}

int main(int argc, char **argv) {
  struct site s;
  struct strerr e;
  const char *file = 0, *excluded = 0, *only = 0;
  int copy = 0, waits = 0, i;
  const struct option options[] = {
      {'f', OPTION_STRING, &file, 0},   {'e', OPTION_STRING, &excluded, 0}, {'S', OPTION_STRING, &only, 0},   {'n', OPTION_FLAG, &b.dry, 1},
      {'c', OPTION_FLAG, &copy, 1},     {'a', OPTION_FLAG, &waits, 1},         {'v', OPTION_COUNT, &verbose, 0},   {'V', OPTION_COUNT, &verbose, 0},
      {'h', OPTION_REFUSED, LINKS, 0},  {'s', OPTION_REFUSED, LINKS, 0},       {'-', OPTION_WORDS, words, 0},      {0, OPTION_FLAG, 0, 0},
  };

  i = options_or_die(argc, argv, options, USAGE, 0, -1);
  if (!file || (waits && (excluded || only || b.dry || copy))) strerr_die_usage(USAGE);
  for (int k = i; k < argc; ++k)
    if (site_domain(argv[k], &e) == -1) die(&e);
  b.tell = tell;
  b.fault = fault;
  report_start(&report, json, 1, 0);
  if (bulletin_open(&b, file, &e) == -1 || (excluded && bulletin_list(&b.excluded, excluded, &e) == -1) ||
      (only && bulletin_list(&b.only, only, &e) == -1) || site_load(&s, &e) == -1)
    die(&e);
  if (waits) {
    leave(&s, file, argc - i, argv + i);
    return 0;
  }
  if (i == argc && bulletin_run(&s, 0, &b, &e) == -1) die(&e);
  for (; i < argc; ++i)
    if (bulletin_run(&s, argv[i], &b, &e) == -1) die(&e);
  print_sums();
  if (report_finish(&report, 1, &e) == -1) die(&e);
  bulletin_free(&b);
  site_close(&s);
  return code;
}
