/* postdel: delivers a message to a virtual user for Postfix, whose master.cf runs it as a pipe: makes
 * of its arguments the environment that vdelivermail and vfilter get from qmail-local, and of their
 * exit codes those of sysexits.h. */
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/env.h"
#include "base/options.h"
#include "base/program.h"
#include "conf/paths.h"
#include "user/name.h"

#define FATAL "postdel: fatal: "
#define USAGE "postdel [-f] -u recipient -r sender"

static const struct {
  int ours, theirs;
} codes[] = {{0, EX_OK}, {100, EX_NOUSER}, {111, EX_TEMPFAIL}};

static int code_of(int code) {
  for (size_t i = 0; i < sizeof codes / sizeof *codes; ++i)
    if (codes[i].ours == code) return codes[i].theirs;
  return code > 127 ? EX_TEMPFAIL : EX_SOFTWARE; /* killed: it may go well the next time */
}

/* They become lines of a header. */
static int is_line(const char *s) {
  for (; *s; ++s)
    if ((unsigned char)*s < ' ' || *s == 127) return 0;
  return 1;
}

static int fill(struct env *env, const char *recipient, const char *sender, const struct address *a) {
  stralloc rpline = STRALLOC_INIT, dtline = STRALLOC_INIT;
  int ok = stralloc_catm(&rpline, "Return-Path: <", sender, ">\n", (char *)0) && stralloc_catm(&dtline, "Delivered-To: ", recipient, "\n", (char *)0) &&
           env_import(env) && env_set(env, "EXT", a->user.s) && env_set(env, "LOCAL", a->user.s) && env_set(env, "HOST", a->domain.s) &&
           env_set(env, "SENDER", sender) && env_set(env, "RECIPIENT", recipient) && env_set(env, "RPLINE", rpline.s) && env_set(env, "DTLINE", dtline.s);

  stralloc_free(&rpline);
  stralloc_free(&dtline);
  return ok;
}

int main(int argc, char **argv) {
  const char *recipient = 0, *sender = 0;
  int filter = 0;
  const struct option options[] = {
      {'u', OPTION_STRING, &recipient, 0}, {'r', OPTION_STRING, &sender, 0}, {'f', OPTION_FLAG, &filter, 1}, {0, OPTION_FLAG, 0, 0}};
  int i = options_parse(argc, argv, options);
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  stralloc program = STRALLOC_INIT;
  struct env env = {0};
  struct strerr e;
  int code;

  if (i != argc || !recipient || !sender) strerr_diem(EX_USAGE, "usage: " USAGE, (char *)0);
  if (!is_line(recipient) || !is_line(sender)) strerr_diem(EX_USAGE, FATAL, "an address has a control character", (char *)0);
  switch (address_parse(&a, recipient, strlen(recipient))) {
    case 1: break;
    case 0: strerr_diem(EX_USAGE, FATAL, recipient, ": an address user@domain is wanted", (char *)0);
    default: strerr_diem_sys(EX_OSERR, FATAL, "unable to deliver", (char *)0);
  }
  if (!fill(&env, recipient, sender, &a) || !paths_program(filter ? "vfilter" : "vdelivermail", &program)) strerr_diem_sys(EX_OSERR, FATAL, "unable to deliver", (char *)0);
  {
    char *args[] = {program.s, (char *)"", (char *)"bounce-no-mailbox", 0};
    struct spawn s = {.path = program.s, .argv = args, .envp = env_vector(&env)};

    spawn_move(&s, 0, 0);
    code = s.envp ? program_run(&s, 0, 0, DEADLINE_NEVER, &e) : strerr_sys(&e, "unable to deliver", (char *)0);
  }
  if (code == -1) strerr_die(EX_OSERR, FATAL, &e);
  return code_of(code);
}
