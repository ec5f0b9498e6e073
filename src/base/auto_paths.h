/* auto_paths: the directories chosen when the programs were linked.  Everything
 * else asks conf/paths.h, which knows what may override them. */
#ifndef BASE_AUTO_PATHS_H
#define BASE_AUTO_PATHS_H

extern const char auto_prefix[];     /* PREFIX: bin, sbin, libexec, share below it */
extern const char auto_sysconfdir[]; /* control, users, tcp, certs below it */
extern const char auto_home[];       /* QMAILHOME: queue, alias, domains below it */
extern const char auto_logdir[];
extern const char auto_rundir[];
extern const char auto_servicedir[];
extern const char auto_mailbase[]; /* virtual users' mailboxes */

#endif
