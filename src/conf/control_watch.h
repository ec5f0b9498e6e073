/* control_watch: has anything happened in the control directory?  Asked of inotify, which
 * costs one system call where stamps of all files would cost one for each. */
#ifndef CONF_CONTROL_WATCH_H
#define CONF_CONTROL_WATCH_H

struct control_watch {
  int fd; /* -1: the system cannot tell */
};

void control_watch_init(struct control_watch *w);
/* 1 when something happened since we were asked last, or may have; 0 when not; -1 when the
 * system cannot tell: look at the files. */
int control_watch_changed(struct control_watch *w);
void control_watch_free(struct control_watch *w);

#endif
