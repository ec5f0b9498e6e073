/* qmail-tcpok: forget which addresses remote deliveries could not reach. */
#include "base/strerr.h"
#include "queue/tcpto.h"
#include "send/queue_list.h"

#define FATAL "qmail-tcpok: fatal: "

static int clear(void *ctx, const char *queue, struct strerr *e) {
  (void)ctx;
  return tcpto_clear() == -1 ? strerr_sys(e, "unable to clear ", queue, "/" TCPTO_FILE, (char *)0) : 0;
}

int main(int argc, char **argv) {
  struct conf conf;
  struct strerr e;

  (void)argv;
  if (argc != 1) strerr_die_usage("qmail-tcpok");
  if (conf_load(&conf, CONF_ADMIN | CONF_SEND, &e) == -1 || queue_list_each(&conf, clear, 0, &e) == -1)
    strerr_die(111, FATAL, &e);
  return 0;
}
