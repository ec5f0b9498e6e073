/* slowq-send: qmail-send that keeps the rates of destinations.  Started by qmail-start in
 * place of qmail-send for a queue called slowq. */
#include "base/strerr.h"
#include "queue/queuepath.h"
#include "send/send_daemon.h"

int main(int argc, char **argv) {
  (void)argv;
  if (argc > 1) strerr_die_usage("slowq-send (started by qmail-start)");
  return send_daemon("slowq-send", QUEUE_RATES);
}
