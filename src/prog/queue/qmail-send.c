/* qmail-send: schedule the deliveries of one queue, retry, bounce, log.  Started by
 * qmail-start, which sets descriptors 0 to 8. */
#include "base/strerr.h"
#include "send/send_daemon.h"

int main(int argc, char **argv) {
  (void)argv;
  if (argc > 1) strerr_die_usage("qmail-send (started by qmail-start)");
  return send_daemon("qmail-send", "");
}
