/* qmail-clean: remove finished messages on request of qmail-send, as qmailq, who
 * alone may.  Requests on fd 0: "foop/S/ID" NUL; answers on fd 1: + done, ! failed,
 * x bad request.  Now and then it sweeps out what was never accepted. */
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/now.h"
#include "base/strerr.h"
#include "base/substdio.h"
#include "conf/conf.h"
#include "queue/transition.h"

#define FATAL "qmail-clean: fatal: "
#define REQUEST_MAX 100
#define SWEEP_EVERY 1000 /* requests */

static char answer(const char *s, size_t n) {
  uint64_t id;

  if (!bytes_casestarts(s, n, "foop/") || !queuepath_scan_below(s + 5, n - 5, &id)) return 'x';
  return queue_remove(id) == 0 ? '+' : '!';
}

int main(int argc, char **argv) {
  char inbuf[1024];
  stralloc request = STRALLOC_INIT;
  substdio in;
  struct conf conf;
  struct strerr e;
  int64_t ossified;
  unsigned requests = 0;

  (void)argv;
  if (argc > 1) strerr_die_usage("qmail-clean (started by qmail-start in a queue directory)");
  if (conf_load(&conf, CONF_SEND, &e) == -1) strerr_die(111, FATAL, &e);
  ossified = (int64_t)conf_number(&conf, SET_ossified);
  conf_free(&conf);
  substdio_initfd_read(&in, 0, inbuf, sizeof inbuf);
  for (;;) {
    int match;
    char c;

    if (requests++ % SWEEP_EVERY == 0) queue_sweep(wall_now(), ossified);
    stralloc_cut(&request, 0);
    if (getln(&in, &request, &match, 0, REQUEST_MAX) == -1) strerr_diem_sys(111, FATAL, "unable to read request", (char *)0);
    if (!match) return 0;
    c = answer(request.s, request.len - 1);
    if (write(1, &c, 1) != 1) return 100;
  }
}
