/* slowq-send: qmail-send that keeps the rates of destinations.  Started by qmail-start in
 * place of qmail-send for a queue called slowq. */
#include "base/strerr.h"
#include "queue/queuepath.h"
#include "send/send_daemon.h"

int main(int argc, char **argv) {
  struct strerr e;

  (void)argv;
  if (argc > 1) strerr_die_usage("slowq-send (started by qmail-start)");
  if (send_daemon("slowq-send", QUEUE_RATES, &e) == -1) strerr_die(111, "slowq-send: fatal: ", &e);
  return 0;
}
