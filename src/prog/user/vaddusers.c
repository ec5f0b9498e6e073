/* vaddusers: adds many users to a virtual domain, from a list on standard input. */
#include <string.h>

#include "base/options.h"
#include "user/account_load.h"
#include "user/post_handle.h"

#define FATAL "vaddusers: fatal: "
#define USAGE "vaddusers [-vik] [-q quota] domain < list"

static char inbuf[65536];

static void say_result(const struct account_load *l) {
  stralloc text = STRALLOC_INIT;

  if (!stralloc_catlit(&text, "added: ") || !stralloc_catu64(&text, l->added) || !stralloc_catlit(&text, ", there before: ") ||
      !stralloc_catu64(&text, l->there))
    strerr_die_nomem(FATAL);
  strerr_warnm("", text.s, (char *)0);
  stralloc_free(&text);
}

int main(int argc, char **argv) {
  struct progress progress = {.on = 0};
  struct account_load l = {.active = 1, .progress = &progress};
  const char *quota = 0;
  int verbose = 0;
  const struct option options[] = {
      {'v', OPTION_COUNT, &verbose, 0}, {'i', OPTION_FLAG, &l.active, 0}, {'k', OPTION_FLAG, &l.keep_homes, 1}, {'q', OPTION_STRING, &quota, 0}, {0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 1, 1);
  struct quota wanted;
  struct site s;
  struct strerr e;
  substdio in;

  if (site_domain(argv[i], &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  if (quota && !quota_said(quota, &wanted)) strerr_diem(100, FATAL, "not a quota: ", quota, (char *)0);
  l.domain = argv[i];
  l.quota = quota ? &wanted : 0;
  substdio_initfd_read(&in, 0, inbuf, sizeof inbuf);
  if (site_load(&s, &e) == -1 || account_load(&s, &l, &in, &e) == -1) {
    if (l.added) say_result(&l);
    strerr_die(site_code(&e), FATAL, &e);
  }
  explicit_bzero(inbuf, sizeof inbuf);
  if (verbose) say_result(&l);
  site_close(&s);
  return post_handle_finish(FATAL, &(struct post_handle){"vaddusers", (char *[]){argv[i], 0}, &s.mail, 0});
}
