/* settings: what a session goes by: a snapshot of the settings, and what was made of it.  A
 * resident server shares both between all connections and messages with the same variables, and
 * reads them anew when a file changes; a process for one connection reads its own. */
#ifndef SMTP_SETTINGS_H
#define SMTP_SETTINGS_H

#include "conf/conf_share.h"
#include "smtp/content.h"
#include "smtp/list.h"
#include "smtp/plugins.h"

struct settings {
  const struct conf *conf;
  const struct lists *lists;
  const struct content_rules *content_rules;
  const struct plugins *plugins;
  void *holder; /* the source's own */
};

struct settings_source {
  int resident;
  struct conf_share share;
  struct list_cache lists;
  /* 0, or -1 with e filled, for a snapshot that is not to be used */
  int (*valid)(const struct conf *conf, struct strerr *e);
};

void settings_source_init(struct settings_source *s, int resident, int (*valid)(const struct conf *conf, struct strerr *e));
/* The settings with these variables, until settings_put.  0, or -1 with e filled. */
int settings_get(struct settings_source *s, const struct env *env, struct settings *out, struct strerr *e) MUST_CHECK;
/* Idempotent; an empty struct is fine. */
void settings_put(struct settings_source *s, struct settings *settings);
void settings_source_free(struct settings_source *s);

#endif
