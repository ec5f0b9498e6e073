/* start_plugin: what a plugin of $START_PLUGIN is compiled against, and how qmail-send runs
 * them.  The interface below does not change without its version. */
#ifndef SEND_START_PLUGIN_H
#define SEND_START_PLUGIN_H

#define START_PLUGIN_VERSION 1

struct start_plugin {
  int version;         /* START_PLUGIN_VERSION */
  const char *program; /* who starts: "qmail-send" */
  const char *queue;   /* directory of its queue, which is also the current one */
};
/* The plugin's function, $START_PLUGIN_SYMB: 0 to go on; anything else stops the start.  A
 * plugin that does not know the version should refuse. */
typedef int (*start_plugin_fn)(const struct start_plugin *p);

struct conf;
struct strerr;
/* Run the plugins that are set, in a process of their own; what they print goes to descriptor
 * log.  0, or -1 with e filled.  Blocks until they are done. */
int start_plugins(const struct conf *conf, const char *program, const char *queue, int log, struct strerr *e);

#endif
