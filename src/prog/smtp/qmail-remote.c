/* qmail-remote: deliver one message (fd 0) to a remote host by SMTP, reports on fd 1; or, started
 * with -W by qmail-rspawn, all that come over the socket on fd 0. */
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/options.h"
#include "base/sigfd.h"
#include "base/strerr.h"
#include "base/strlist.h"
#include "smtp/remote.h"
#include "smtp/remote_worker.h"

/* Those of DSN_RCPT, whose lines are in the order of the recipients; where there are more or fewer,
 * somebody changed one and not the other, and none counts.  Null, or ours to use. */
static const char *const *split_notify(const char *lines, size_t recipients, struct strlist *line) {
  const char **notify;

  if (!lines) return 0;
  while (*lines) {
    size_t n = strcspn(lines, "\n");

    if (!lines[n] || !strlist_add(line, lines, n)) return 0;
    lines += n + 1;
  }
  notify = line->len == recipients ? malloc(recipients * sizeof *notify) : 0;
  for (size_t i = 0; notify && i < recipients; ++i) notify[i] = stralloc_cstr(&line->item[i]);
  return notify;
}

int main(int argc, char **argv) {
  static const struct option none[] = {{0, 0, 0, 0}};
  static struct remote_keeper k = REMOTE_KEEPER_INIT;
  struct remote_job job = {.message = 0};
  const char *extra = env_get("QQEH");
  struct strlist notify = {0};
  stralloc report = STRALLOC_INIT;
  struct conf conf;
  struct strerr e;
  int first, done;

  sig_ignore_pipe();
  if (argc == 2 && !strcmp(argv[1], "-W")) return remote_worker_serve(0);
  first = options_or_die(argc, argv, none, "qmail-remote host sender recipient...", 3, -1);
  job.host = argv[first];
  job.sender = argv[first + 1];
  job.recipient = (const char *const *)argv + first + 2;
  job.recipients = (size_t)(argc - first - 2);
  job.extra = extra ? extra : "";
  job.dsn = env_get("DSN_MAIL");
  job.notify = split_notify(env_get("DSN_RCPT"), job.recipients, &notify);
  done = conf_load(&conf, CONF_REMOTE, &e) == -1 ? remote_bad_settings(&report, &e) : remote_deliver(&job, &conf, &k, &report);
  if (done == 0) done = fd_write_all(1, report.s, report.len);
  remote_keeper_quit(&k);
  return done == -1 ? 111 : 0;
}
