/* qmail-inject: complete the header of a message made on this host and queue it. */
#include <string.h>

#include "base/options.h"
#include "base/sigfd.h"
#include "base/strerr.h"
#include "local/inject.h"

#define FATAL "qmail-inject: fatal: "

int main(int argc, char **argv) {
  struct inject_job job = {.recipients = INJECT_EITHER};
  int which = INJECT_EITHER;
  const struct option options[] = {
      {'a', OPTION_FLAG, &which, INJECT_ARGUMENTS}, {'A', OPTION_FLAG, &which, INJECT_EITHER},
      {'h', OPTION_FLAG, &which, INJECT_HEADER},    {'H', OPTION_FLAG, &which, INJECT_BOTH},
      {'n', OPTION_FLAG, &job.dry, 1},              {'N', OPTION_FLAG, &job.dry, 0},
      {'f', OPTION_STRING, &job.sender, 0},         {0, 0, 0, 0}};
  int first = options_or_die(argc, argv, options, "qmail-inject [-nNaAhH] [-f sender] [recipient...]", 0, -1);
  struct conf conf;
  struct strerr e;
  int code;

  job.recipients = (enum inject_recipients)which;
  for (int i = first; i < argc; ++i)
    if (!strlist_add(&job.arguments, argv[i], strlen(argv[i]))) strerr_die_nomem(FATAL);
  sig_ignore_pipe();
  if (conf_load(&conf, CONF_INJECT, &e) == -1) strerr_die(111, FATAL, &e);
  code = inject_run(&job, &conf, &e);
  if (code) strerr_die(code, FATAL, &e);
  return 0;
}
