/* control_watch: see control_watch.h. */
#include "conf/control_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/stralloc.h"
#include "conf/paths.h"

#define CHANGES \
  (IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)

void control_watch_init(struct control_watch *w) {
  stralloc dir = STRALLOC_INIT;

  w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (w->fd != -1 && (!paths_get(PATH_CONTROL, &dir) || inotify_add_watch(w->fd, dir.s, CHANGES) == -1))
    w->fd = fd_close(w->fd);
  stralloc_free(&dir);
}

int control_watch_changed(struct control_watch *w) {
  char events[4096];
  int changed = 0;

  if (w->fd == -1) return -1;
  while (read(w->fd, events, sizeof events) > 0) changed = 1;
  if (!changed) return 0;
  /* The directory itself may be another one now. */
  control_watch_free(w);
  control_watch_init(w);
  return 1;
}

void control_watch_free(struct control_watch *w) {
  w->fd = fd_close(w->fd);
}
