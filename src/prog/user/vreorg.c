/* vreorg: moves the homes of a virtual domain so that its directories are filled in their order. */
#include <string.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/options.h"
#include "base/substdio.h"
#include "user/reorganize.h"

#define FATAL "vreorg: fatal: "
#define USAGE "vreorg [-nvrR] [-l users] -d domain [user...|file|-]"
#define LIST_MAX (64u << 20)

static char outbuf[4096];
static substdio out;
static struct reorganize g;
static int verbose, code;

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

static void tell(void *ctx, const char *name, const char *old, const char *home) {
  (void)ctx;
  if (!verbose && !g.dry) return;
  progress_clear(&g.progress);
  if (substdio_puts(&out, name) == -1 || substdio_puts(&out, ": ") == -1 || substdio_puts(&out, old) == -1 ||
      substdio_puts(&out, " -> ") == -1 || substdio_puts(&out, home) == -1 || substdio_puts(&out, "\n") == -1 || substdio_flush(&out) == -1)
    strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
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
  struct strerr e;
  const struct option options[] = {
      {'d', OPTION_STRING, &g.domain, 0}, {'n', OPTION_FLAG, &g.dry, 1},           {'v', OPTION_COUNT, &verbose, 0},
      {'r', OPTION_FLAG, &g.anew, 1},     {'l', OPTION_U64, &g.per_level, 1000000}, {'R', OPTION_FLAG, &g.keep, 1},
      {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 0, -1);

  if (!g.domain) strerr_die_usage(USAGE);
  if (site_domain(g.domain, &e) == -1) die(&e);
  for (; i < argc; ++i) take_argument(argv[i], &names);
  g.only = &names;
  g.tell = tell;
  g.fault = fault;
  substdio_initfd_write(&out, 1, outbuf, sizeof outbuf);
  if (site_load(&s, &e) == -1 || reorganize_run(&s, &g, &e) == -1) die(&e);
  strlist_free(&names);
  site_close(&s);
  return code;
}
