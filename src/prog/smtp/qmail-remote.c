/* qmail-remote: deliver one message (fd 0) to a remote host by SMTP; reports on fd 1. */
#include "base/env.h"
#include "base/options.h"
#include "base/sigfd.h"
#include "base/strerr.h"
#include "smtp/remote.h"

int main(int argc, char **argv) {
  static const struct option none[] = {{0, 0, 0, 0}};
  int first = options_or_die(argc, argv, none, "qmail-remote host sender recipient...", 3, -1);
  struct remote_job job = {.message = 0};
  const char *extra = env_get("QQEH");
  struct conf conf;
  struct strerr e;
  char buf[2048];
  substdio report;

  job.host = argv[first];
  job.sender = argv[first + 1];
  job.recipient = argv + first + 2;
  job.recipients = (size_t)(argc - first - 2);
  job.extra = extra ? extra : "";
  sig_ignore_pipe();
  substdio_initfd_write(&report, 1, buf, sizeof buf);
  if (conf_load(&conf, CONF_REMOTE, &e) == -1) {
    if (substdio_puts(&report, "Z") == -1 || substdio_puts(&report, e.text) == -1 ||
        substdio_put(&report, ". (#4.3.5)\n", 12) == -1 || substdio_flush(&report) == -1)
      return 111;
    return 0;
  }
  return remote_deliver(&job, &conf, &report) == -1 ? 111 : 0;
}
