/* multilog: reads lines and does with each what a script of actions says.
 *
 * Input from a pipe is looked at first and taken out of the pipe only after it has
 * been written, so a multilog that is killed loses nothing: its successor finds the
 * lines still there, and writes at worst the last ones again. */
#ifndef SUPER_MULTILOG_H
#define SUPER_MULTILOG_H

#include <stddef.h>

#include "base/stralloc.h"
#include "base/strerr.h"
#include "super/logdir.h"

#define MULTILOG_LINE 1000 /* bytes of a line that patterns and =file see */
#define MULTILOG_ALERT 200 /* bytes of a line that go to fd 2 */

enum action_kind { ACTION_SELECT, ACTION_DESELECT, ACTION_ALERT, ACTION_STATUS, ACTION_DIR };

struct action {
  enum action_kind kind;
  const char *text;   /* pattern, file */
  struct logdir *dir; /* owned */
  int selected;       /* directories: the rest of this line goes there too */
};

struct multilog {
  int stamp;
  struct action *action;
  size_t actions;
  char line[MULTILOG_LINE];
  size_t len;
  int begun;   /* in the middle of a line */
  int decided; /* the actions have seen the line; what follows is only copied */
};

/* Turn the actions into a script and open what they name: 0, or -1 with e filled
 * (permanent: an action makes no sense). */
int multilog_open(struct multilog *m, char *const *actions, int nosync, struct strerr *e) MUST_CHECK;
/* Bytes of input. */
void multilog_feed(struct multilog *m, const char *s, size_t n);
void multilog_flush(struct multilog *m);
void multilog_rotate(struct multilog *m);
void multilog_reap(struct multilog *m);
/* End an unfinished line, and everything. */
void multilog_close(struct multilog *m);
/* Read fd 0 until its end or SIGTERM, then close: 0, or -1 with e filled. */
int multilog_run(struct multilog *m, struct strerr *e) MUST_CHECK;

#endif
