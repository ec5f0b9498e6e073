/* vdelivermail: delivers to a virtual user.  Run by qmail-local from a domain's
 * .qmail-default as "vdelivermail '' DEFAULT", with qmail-command's environment and
 * the message on descriptor 0. */
#include "base/options.h"
#include "base/strerr.h"
#include "conf/conf.h"
#include "user/vdeliver.h"
#include "user/vdeliver_run.h"

#define FATAL "vdelivermail: "
#define USAGE "vdelivermail '' delete|bounce-no-mailbox|address|/path|domain:host:port"

int main(int argc, char **argv) {
  const struct option options[] = {{0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 2, 2);
  struct lookup lookup = LOOKUP_INIT;
  struct vdeliver v = {.action = argv[i + 1], .lookup = &lookup};
  stralloc head = STRALLOC_INIT;
  struct conf conf;
  struct strerr e;

  if (*argv[i] || !vdeliver_action_ok(v.action)) strerr_die_usage(USAGE);
  if (vdeliver_environment(&v, &head, &e) == -1) strerr_die(e.permanent ? 100 : 111, FATAL, &e);
  if (conf_load(&conf, CONF_LOCAL, &e) == -1) strerr_die(111, FATAL, &e);
  vdeliver_settings(&v, &conf);
  return vdeliver_exit(vdeliver(&v, &e), &e);
}
