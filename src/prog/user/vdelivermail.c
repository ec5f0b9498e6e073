/* vdelivermail: delivers to a virtual user.  Run by qmail-local from a domain's
 * .qmail-default as "vdelivermail '' DEFAULT", with qmail-command's environment and
 * the message on descriptor 0. */
#include <string.h>

#include "base/env.h"
#include "base/options.h"
#include "base/strerr.h"
#include "conf/conf.h"
#include "user/vdeliver.h"
#include "user/vdeliver_run.h"

#define FATAL "vdelivermail: "
#define USAGE "vdelivermail '' delete|bounce-no-mailbox|address|/path|domain:host:port"

static const char *needed(const char *name) {
  const char *value = env_get(name);

  if (!value) strerr_diem(100, FATAL, name, " is not set: run me from a .qmail file", (char *)0);
  return value;
}

static int is_set(const char *name) {
  const char *value = env_get(name);

  return value && *value && strcmp(value, "0") != 0;
}

int main(int argc, char **argv) {
  const struct option options[] = {{0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 2, 2);
  struct lookup lookup = LOOKUP_INIT;
  stralloc head = STRALLOC_INIT;
  struct conf conf;
  struct strerr e;
  enum deliver_result r;
  struct vdeliver v = {
      .user = needed("EXT"),
      .domain = needed("HOST"),
      .sender = needed("SENDER"),
      .folder = env_get("MAILDIRFOLDER"),
      .action = argv[i + 1],
      .no_alias = is_set("NOALIAS"),
      .allow_inactive = is_set("ALLOW_INACTIVE"),
      .lookup = &lookup,
  };

  if (*argv[i] || !vdeliver_action_ok(v.action)) strerr_die_usage(USAGE);
  if (conf_load(&conf, CONF_LOCAL, &e) == -1) strerr_die(111, FATAL, &e);
  v.seconds = (int64_t)conf_number(&conf, SET_timeoutread);
  if (!vdeliver_head(&head)) strerr_die_nomem(FATAL);
  v.head = stralloc_cstr(&head);
  v.msgfd = vdeliver_seekable(&e);
  if (v.msgfd == -1) strerr_die(111, FATAL, &e);
  r = vdeliver(&v, &e);
  if (r == DELIVER_OK) return 0;
  strerr_warn("", &e);
  return r == DELIVER_PERM && is_set("DISCARD_BOUNCE") ? 0 : (int)r;
}
