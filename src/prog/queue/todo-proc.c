/* todo-proc: find new messages in a queue, judge their envelopes and hand them to
 * qmail-send.  Started by qmail-start. */
#include "base/strerr.h"
#include "queue/collection.h"
#include "send/todo.h"

#define FATAL "todo-proc: fatal: "

int main(int argc, char **argv) {
  stralloc dir = STRALLOC_INIT;
  struct strerr e;

  (void)argv;
  if (argc > 1) strerr_die_usage("todo-proc (started by qmail-start)");
  if (collection_enter(&dir, &e) == -1) strerr_die(111, FATAL, &e);
  if (todo_run(&e) == -1) strerr_die(111, FATAL, &e);
  return 0;
}
