/* plugins: those of the administrator's that judge with us.  We load no code: qmail-smtp-plugin does,
 * one process for each connection that comes as far as a sender, so whatever a plugin does, falls
 * dead or does not return, it does to this connection alone.  It is not told which they are, but finds
 * them by the same variables: a server that was broken into cannot have others loaded.  Where there is no
 * plugin, nothing is started. */
#ifndef SMTP_PLUGINS_H
#define SMTP_PLUGINS_H

#include <sys/types.h>

#include "base/env.h"
#include "base/strerr.h"
#include "conf/conf.h"
#include "smtp/plugin_proto.h"

#define PLUGINS_MAX 16

/* Where they are said to be; each may be null: the default. */
struct plugin_names {
  const char *first, *dir, *symbol; /* SMTP_PLUGIN, PLUGINDIR, SMTP_PLUGIN_SYMB */
};
/* The paths of those that are there, in the order they are asked, added: 0, or -1 with e filled: what was
 * asked for is not there, or not a name. */
int plugins_find(struct strlist *files, const struct plugin_names *names, struct strerr *e) MUST_CHECK;
/* The name of their function. */
const char *plugins_symbol(const struct plugin_names *names);

/* Which there are, of one snapshot of settings, which it borrows from. */
struct plugins {
  struct strlist files;
  struct plugin_names names;
  uint64_t seconds; /* for an answer of all of them */
};
/* 0, or -1 with e filled; plugins_close in any case. */
int plugins_open(struct plugins *p, const struct conf *conf, struct strerr *e) MUST_CHECK;
void plugins_close(struct plugins *p);

/* The process of one connection; zeroed before use. */
struct plugin_host {
  const struct env *env; /* variables of the connection, for the plugins */
  pid_t pid;             /* 0: none runs */
  int fd;
  stralloc loaded; /* what it was started with */
  char status[PLUGIN_STATUS_MAX]; /* of the last refusal */
};

/* What these plugins say: PLUGIN_REFUSES with r filled, PLUGIN_FAILS with e filled, when one is not to be
 * loaded, its process ends or takes too long (it is ended), or what it says makes no sense.  Waits. */
enum plugin_kind plugin_host_ask(struct plugin_host *h, const struct plugins *p, const struct plugin_question *q,
                                 struct plugin_reply *r, struct strerr *e) MUST_CHECK;
/* End it; it has a moment to do so by itself.  Idempotent. */
void plugin_host_end(struct plugin_host *h);

#endif
