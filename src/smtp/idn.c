/* idn: see idn.h. */
#include "smtp/idn.h"

#include "base/program.h"
#include "conf/paths.h"
#include "mail/smtp_syntax.h"

/* What it has printed: a line with the name. */
static int understand(const stralloc *answer, stralloc *out) {
  size_t n = answer->len;

  return n > 1 && answer->s[n - 1] == '\n' && smtp_is_domain(answer->s, n - 1) && stralloc_copyb(out, answer->s, n - 1);
}

enum idn idn_ascii(const char *name, size_t n, stralloc *out, deadline until, struct strerr *e) {
  stralloc copy = STRALLOC_INIT, program = STRALLOC_INIT, answer = STRALLOC_INIT;
  enum idn r = IDN_TEMPFAIL;

  if (!stralloc_copyb(&copy, name, n) || !paths_program("qmail-idn", &program)) {
    strerr_set(e, "out of memory", (char *)0);
  } else {
    char *argv[] = {program.s, copy.s, 0};
    struct spawn s = {.path = program.s, .argv = argv};
    int code;

    spawn_move(&s, SPAWN_NULL, 0);
    spawn_move(&s, SPAWN_NULL, 2);
    code = program_ask(&s, 1, &answer, SMTP_DOMAIN_MAX + 1, until, e);
    if (code == 100) r = IDN_NO_NAME;
    else if (code == 0 && understand(&answer, out)) r = IDN_OK;
    else if (code != -1) strerr_set(e, "qmail-idn failed", (char *)0);
  }
  stralloc_free(&copy);
  stralloc_free(&program);
  stralloc_free(&answer);
  return r;
}
