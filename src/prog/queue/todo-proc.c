/* todo-proc: find new messages in a queue, judge their envelopes and hand them to
 * qmail-send.  Started by qmail-start. */
#include <unistd.h>

#include "base/strerr.h"
#include "conf/conf.h"
#include "queue/collection.h"
#include "send/todo.h"

#define FATAL "todo-proc: fatal: "

int main(int argc, char **argv) {
  stralloc dir = STRALLOC_INIT;
  struct collection c;
  struct conf conf;
  struct strerr e;

  (void)argv;
  if (argc > 1) strerr_die_usage("todo-proc (started by qmail-start)");
  if (conf_load(&conf, CONF_QUEUE, &e) == -1 || collection_load(&c, &conf, &e) == -1)
    strerr_die(111, FATAL, &e);
  if (!collection_choose(&c, &conf, 0, &dir)) strerr_die_nomem(FATAL);
  if (chdir(dir.s) == -1) strerr_diem_sys(111, FATAL, "unable to enter queue ", dir.s, (char *)0);
  if (todo_run(&e) == -1) strerr_die(111, FATAL, &e);
  return 0;
}
