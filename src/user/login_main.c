/* login_main: see login_main.h. */
#include "user/login_main.h"

#include "base/options.h"
#include "base/sigfd.h"
#include "user/login_proxy.h"

#define CANNOT_START 111

static int start(const struct login_program *p, struct login *l, struct store_place *place, const struct conf *conf, int argc, char **argv,
                 stralloc *tag, struct strerr *e) {
  if (login_start(l, p->name, p->protocol, conf, argc, argv, tag, e) == -1) return -1;
  return p->proxy ? login_proxy_start(l, place, e) : 0;
}

int login_main(const struct login_program *p, int argc, char **argv) {
  const struct option options[] = {{0, OPTION_FLAG, 0, 0}};
  struct store_place place = {.port = 0};
  stralloc tag = STRALLOC_INIT, fatal = STRALLOC_INIT;
  struct conf conf;
  struct login l;
  struct strerr e;

  /* Words from the first on are programs and their arguments: none of it is ours. */
  if (options_or_die(argc, argv, options, p->usage, 2, p->proxy ? 2 : -1) != 1) strerr_die_usage(p->usage);
  sig_ignore_pipe();
  if (!stralloc_catm(&fatal, p->name, ": fatal: ", (char *)0)) return CANNOT_START;
  if (conf_load(&conf, CONF_LOGIN, &e) == -1 || start(p, &l, &place, &conf, argc, argv, &tag, &e) == -1)
    strerr_die(CANNOT_START, fatal.s, &e);
  p->run(&l, stralloc_cstr(&tag));
  login_free(&l);
  store_place_free(&place);
  return 0;
}
