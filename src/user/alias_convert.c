/* alias_convert: see alias_convert.h. */
#include "user/alias_convert.h"

#include "base/options.h"

struct work {
  const char *name;
  int verbose;
  int left; /* something was left as it is */
};

static void told(void *ctx, const char *name, const char *why) {
  struct work *w = ctx;

  if (why) w->left = 1;
  if (why) strerr_warnm(w->name, ": left as it is: ", name, ": ", why, (char *)0);
  else if (w->verbose) strerr_warnm(w->name, ": converted: ", name, (char *)0);
}

static void die(const struct work *w, const struct strerr *e) {
  strerr_diem(site_code(e), w->name, ": fatal: ", e->text, (char *)0);
}

int alias_convert_main(const struct alias_convert *p, int argc, char **argv) {
  struct work w = {.name = p->name};
  stralloc usage = STRALLOC_INIT;
  struct site s;
  struct strerr e;
  int remove = 0, i;
  const struct option options[] = {{'v', OPTION_COUNT, &w.verbose, 0}, {'r', OPTION_FLAG, &remove, 1}, {0, OPTION_FLAG, 0, 0}};

  if (!stralloc_catm(&usage, p->name, " [-vr] domain", (char *)0)) strerr_die_nomem(p->name);
  i = options_or_die(argc, argv, options, usage.s, 1, 1);
  if (site_domain(argv[i], &e) == -1 || site_load(&s, &e) == -1 || p->run(&s, argv[i], remove, told, &w, &e) == -1) die(&w, &e);
  site_close(&s);
  stralloc_free(&usage);
  return w.left;
}
