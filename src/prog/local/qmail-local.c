/* qmail-local: carry out .qmail instructions for one recipient, or, started with -W by
 * qmail-lspawn, for all that come over the socket on fd 0. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/options.h"
#include "base/sigfd.h"
#include "base/strerr.h"
#include "conf/conf.h"
#include "local/delivery.h"
#include "local/worker.h"
#include "user/lookup.h"

#define USAGE "qmail-local [-nN] user homedir local dash ext domain sender defaultdelivery [qqeh]"

static const char *env_or_empty(const char *name) {
  const char *value = env_get(name);

  return value ? value : "";
}

int main(int argc, char **argv) {
  struct delivery_job job = {.message = 0};
  const struct option options[] = {
      {'n', OPTION_FLAG, &job.dry, 1}, {'N', OPTION_FLAG, &job.dry, 0}, {0, 0, 0, 0}};
  struct conf conf;
  struct strerr e;
  struct lookup lookup = LOOKUP_INIT;
  int first, code;

  umask(077);
  sig_ignore_pipe();
  if (argc == 2 && !strcmp(argv[1], "-W")) {
    if (conf_load(&conf, CONF_LOCAL, &e) == -1) strerr_die(111, "", &e);
    return worker_serve(0, &conf);
  }
  first = options_or_die(argc, argv, options, USAGE, 8, 9);
  argv += first;
  job.user = argv[0];
  job.home = argv[1];
  job.local = argv[2];
  job.dash = argv[3];
  job.ext = argv[4];
  job.host = argv[5];
  job.sender = argv[6];
  job.defaultdelivery = argv[7];
  job.extra = argc - first > 8 ? argv[8] : "";
  job.messid = env_or_empty("MESSID");
  job.dsn = env_or_empty("DSNMAIL");
  job.notify = env_or_empty("DSNRCPT");
  job.lookup = &lookup;
  if (conf_load(&conf, CONF_LOCAL, &e) == -1) strerr_die(111, "", &e);
  code = delivery_run(&job, &conf, &e);
  if (code && e.text[0]) strerr_warn("", &e);
  return code;
}
