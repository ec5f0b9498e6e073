/* qmail-clean: remove finished messages on request of qmail-send, as qmailq, who
 * alone may.  Requests on fd 0: "foop/S/ID" NUL; answers on fd 1: + done, ! failed,
 * x bad request.  Now and then it sweeps out what was never accepted.  With -r it only
 * recovers what a power loss took (queue/journal.h).
 *
 * A removal is on disk with the next sync of anything in that file system, so nobody
 * waits for one of our own; but when no request has come for a second, what was removed
 * is synced, so that no power loss repeats a delivery that is over for long. */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/fmt.h"
#include "base/now.h"
#include "base/options.h"
#include "base/strerr.h"
#include "base/substdio.h"
#include "conf/conf.h"
#include "conf/sandbox.h"
#include "queue/journal.h"
#include "queue/transition.h"

#define FATAL "qmail-clean: fatal: "
#define REQUEST_MAX 100
#define ANSWERS_MAX 64 /* at once */
#define SWEEP_SECONDS 3600 /* between two: it looks at each file of the queue */
#define QUIET_MS 1000

/* Directories something was removed from since they were synced: an id that lies in each. */
struct removals {
  uint64_t id[QUEUE_SPLIT];
  int any;
};

static char answer(const char *s, size_t n, struct removals *r) {
  uint64_t id;

  if (!bytes_casestarts(s, n, "foop/") || !queuepath_scan_below(s + 5, n - 5, &id)) return 'x';
  r->id[id % QUEUE_SPLIT] = id;
  r->any = 1;
  return queue_remove(id) == 0 ? '+' : '!';
}

/* After a power loss: what was accepted and lost by the disk comes out of the journal. */
static int bring_back(const struct conf *conf) {
  char number[FMT_U64 + 1];
  struct journal_era era;
  int known = journal_era(&era, conf_line(conf, SET_bootid), conf_line(conf, SET_metadata_order));
  long n = known == 0 ? journal_recover(&era) : -1;

  if (n == -1) strerr_diem_sys(111, FATAL, "unable to recover messages from the journal", (char *)0);
  if (n) strerr_warnm("qmail-clean: info: messages brought back after a power loss: ", fmt_u64_z(number, (uint64_t)n), (char *)0);
  return 0;
}

/* Before we wait for a request: if none comes soon, make the removals safe. */
static void settle(const substdio *in, struct removals *r) {
  struct pollfd p = {.fd = 0, .events = POLLIN};

  if (!r->any || substdio_have(in) || poll(&p, 1, QUIET_MS) != 0) return;
  for (int i = 0; i < QUEUE_SPLIT; ++i)
    if (r->id[i]) (void)!queue_sync_removal(r->id[i]); /* no worse than before */
  memset(r, 0, sizeof *r);
}

int main(int argc, char **argv) {
  int recover = 0;
  const struct option options[] = {{'r', OPTION_FLAG, &recover, 1}, {0, 0, 0, 0}};
  char inbuf[1024];
  stralloc request = STRALLOC_INIT;
  substdio in;
  struct conf conf;
  struct strerr e;
  int64_t ossified;
  deadline sweep = 0;
  char answers[ANSWERS_MAX];
  size_t answered = 0;
  struct removals removals = {0};

  options_or_die(argc, argv, options, "qmail-clean [-r] (started by qmail-start in a queue directory)", 0, 0);
  if (conf_load(&conf, CONF_SEND, &e) == -1) strerr_die(111, FATAL, &e);
  if (recover) return bring_back(&conf);
  ossified = (int64_t)conf_number(&conf, SET_ossified);
  sandbox_start(SANDBOX_qmail_clean, conf_flag(&conf, SET_sandbox), 0, "qmail-clean: ");
  conf_free(&conf);
  substdio_initfd_read(&in, 0, inbuf, sizeof inbuf);
  for (;;) {
    int match;

    if (mono_now() >= sweep) {
      queue_sweep(wall_now(), ossified);
      sweep = deadline_in(SWEEP_SECONDS);
    }
    settle(&in, &removals);
    stralloc_cut(&request, 0);
    if (getln(&in, &request, &match, 0, REQUEST_MAX) == -1) strerr_diem_sys(111, FATAL, "unable to read request", (char *)0);
    if (!match) return 0;
    answers[answered++] = answer(request.s, request.len - 1, &removals);
    if (answered < sizeof answers && substdio_have(&in)) continue; /* those that came together are answered together */
    if (fd_write_all(1, answers, answered) == -1) return 100;
    answered = 0;
  }
}
