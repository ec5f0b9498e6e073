/* svstat: one line on the state of each service. */
#include "base/now.h"
#include "base/options.h"
#include "base/substdio.h"
#include "super/svstate.h"

#define FATAL "svstat: fatal: "

/* The line's text; gives the state, or 100 for a status that makes no sense and
 * 111 for one that cannot be read. */
static int look(const char *dir, stralloc *text) {
  struct svstatus st;
  struct strerr e;
  int down = sv_has(dir, "down");
  int ok = sv_has(dir, ".") == 1 ? sv_ok(dir, &e) : strerr_sys(&e, "unable to look at it", (char *)0);
  int code = SVSTATE_UNSUPERVISED;

  if (ok == 0) {
    if (!stralloc_catlit(text, "supervise not running")) strerr_die_nomem(FATAL);
    return code;
  }
  if (ok == -1 || sv_status(dir, &st, &e) == -1) {
    code = e.sys ? 111 : 100;
    if (!stralloc_cats(text, e.text)) strerr_die_nomem(FATAL);
    return code;
  }
  if (!sv_describe(&st, down == 1, wall_now(), text)) strerr_die_nomem(FATAL);
  return svstatus_state(&st);
}

int main(int argc, char **argv) {
  int state_code = 0, last = 0;
  const struct option table[] = {
      {'e', OPTION_FLAG, &state_code, 1},
      {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, table, "svstat [-e] dir ...", 0, -1);
  char buf[SUBSTDIO_SIZE];
  substdio out;
  stralloc text = STRALLOC_INIT;

  substdio_initfd_write(&out, 1, buf, sizeof buf);
  for (; i < argc; ++i) {
    stralloc_cut(&text, 0);
    last = look(argv[i], &text);
    if (substdio_puts(&out, argv[i]) == -1 || substdio_putlit(&out, ": ") == -1 ||
        substdio_put(&out, text.s, text.len) == -1 || substdio_putflush(&out, "\n", 1) == -1)
      strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  }
  return state_code ? last : 0;
}
