/* vreorg: moves the homes of a virtual domain so that its directories are filled in their order. */
#include <string.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/options.h"
#include "base/report.h"
#include "user/reorganize.h"

#define FATAL "vreorg: fatal: "
#define USAGE "vreorg [-nvrR] [--json] [-l users] -d domain [user...|file|-]"
#define LIST_MAX (64u << 20)

static int json;
static struct option_word words[] = {{"json", &json}, {0, 0}};
static struct reorganize g;
static struct report report;
static int verbose, code;

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

static void tell(void *ctx, const char *name, const char *old, const char *home) {
  struct strerr e;

  (void)ctx;
  if (!verbose && !g.dry && !json) return;
  progress_clear(&g.progress);
  report_item(&report);
  report_text(&report, "user", 0, name);
  report_text(&report, "domain", 0, g.domain);
  report_text(&report, "from", 0, old);
  report_text(&report, "to", 0, home);
  report_words(&report, name, ": ", old, " -> ", home, (char *)0);
  if (report_show(&report, 1, &e) == -1) die(&e);
}

static void fault(void *ctx, const struct strerr *e) {
  (void)ctx;
  progress_clear(&g.progress);
  strerr_warn("vreorg: warning: ", e);
  code = 111;
}

/* A name, - for names on standard input, or (with a slash) a file of names. */
static void take_argument(const char *arg, struct strlist *names) {
  stralloc text = STRALLOC_INIT;
  int r = 1;

  if (!strcmp(arg, "-")) r = fd_slurp(0, &text, LIST_MAX) == -1 ? -1 : 1;
  else if (strchr(arg, '/')) r = file_read(arg, &text, LIST_MAX);
  else if (!strlist_add(names, arg, strlen(arg))) strerr_die_nomem(FATAL);
  if (r == 0) strerr_diem(100, FATAL, arg, " is not there", (char *)0);
  if (r == -1) strerr_diem_sys(111, FATAL, "unable to read ", arg, (char *)0);
  if (!strlist_add_lines(names, stralloc_cstr(&text), text.len)) strerr_die_nomem(FATAL);
  if (!names->len) strerr_diem(100, FATAL, arg, " names nobody", (char *)0);
  stralloc_free(&text);
}

int main(int argc, char **argv) {
  struct site s;
  struct strlist names = {0};
  struct strerr e, unwritten;
  int done;
  const struct option options[] = {
      {'d', OPTION_STRING, &g.domain, 0}, {'n', OPTION_FLAG, &g.dry, 1},           {'v', OPTION_COUNT, &verbose, 0},
      {'r', OPTION_FLAG, &g.anew, 1},     {'l', OPTION_U64, &g.per_level, 1000000}, {'R', OPTION_FLAG, &g.keep, 1},
      {'-', OPTION_WORDS, words, 0},      {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 0, -1);

  if (!g.domain) strerr_die_usage(USAGE);
  if (site_domain(g.domain, &e) == -1) die(&e);
  for (; i < argc; ++i) take_argument(argv[i], &names);
  g.only = &names;
  g.tell = tell;
  g.fault = fault;
  report_start(&report, json, 1, 0);
  if (site_load(&s, &e) == -1) die(&e);
  done = reorganize_run(&s, &g, &e);
  if (report_finish(&report, 1, &unwritten) == -1) die(&unwritten);
  if (done == -1) die(&e);
  strlist_free(&names);
  site_close(&s);
  return code;
}
