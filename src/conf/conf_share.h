/* conf_share: settings for a resident server, whose connections come with variables of
 * their own.  Connections with the same overrides share one snapshot; a changed control
 * file makes a new one for the next connection, and those that have begun keep theirs. */
#ifndef CONF_CONF_SHARE_H
#define CONF_CONF_SHARE_H

#include "base/env.h"
#include "base/now.h"
#include "conf/conf.h"
#include "conf/control_watch.h"

struct conf_shared; /* one snapshot and its holders */

/* What a server makes of a snapshot, once for all connections that share it. */
struct conf_attach {
  void *(*make)(void *ctx, const struct conf *c, struct strerr *e); /* null with e filled on failure */
  void (*drop)(void *made);
  void *ctx;
};

struct conf_share {
  unsigned readers;
  struct conf_attach attach; /* set by the server after conf_share_init, or left */
  int (*valid)(const struct conf *c, struct strerr *e); /* 0 or -1; null: everything is */
  struct conf_shared *current;                          /* those handed out to new connections */
  struct control_watch watch;
  deadline looked; /* at the files themselves */
};

void conf_share_init(struct conf_share *s, unsigned readers, int (*valid)(const struct conf *c, struct strerr *e));

/* The snapshot for these variables: null with e filled when the settings are bad. */
struct conf_shared *conf_share_get(struct conf_share *s, const struct env *env, struct strerr *e) MUST_CHECK;
const struct conf *conf_shared(const struct conf_shared *c);
/* What attach.make gave for it. */
const void *conf_shared_attached(const struct conf_shared *c);
/* A holder is done. */
void conf_share_put(struct conf_share *s, struct conf_shared *c);
void conf_share_free(struct conf_share *s);

#endif
