/* qmail-turn: the mail that waits for these domains is tried now, by the qmail-send of each queue;
 * prints how many messages that are.  Needs no more rights than to talk to qmail-send: it knows for
 * which domains that may be asked (control/etrnhosts, control/odmrhosts). */
#include <string.h>

#include "base/fd.h"
#include "base/options.h"
#include "base/scan.h"
#include "base/strerr.h"
#include "send/control_client.h"
#include "send/queue_list.h"

#define FATAL "qmail-turn: fatal: "
#define USAGE "qmail-turn domain..."

struct job {
  stralloc lines; /* the requests */
  size_t n;
  uint64_t due;
  size_t asked; /* queues that have answered */
  int failed;
};

static int on_record(void *ctx, size_t i, const struct control_record *r, struct strerr *e) {
  struct job *j = ctx;
  const char *count = control_column(r, "count");
  uint64_t n;

  if (r->kind == CONTROL_RECORD_error) return strerr_set(e, control_column(r, "text"), (char *)0);
  if (r->kind == CONTROL_RECORD_ok && scan_u64(count, strlen(count), &n)) j->due += n;
  return 0;
}

/* One queue that cannot be asked does not keep the others from it. */
static int one_queue(void *ctx, const char *queue, struct strerr *e) {
  struct job *j = ctx;
  int r = control_ask(&j->lines, j->n, on_record, j, e);

  if (r == 1) ++j->asked;
  if (r == 1 || r == 0) return 0; /* no qmail-send: nobody delivers from this queue */
  strerr_warnm("qmail-turn: ", queue, ": ", e->text, (char *)0);
  j->failed = 1;
  return 0;
}

int main(int argc, char **argv) {
  static const struct option none[] = {{0, 0, 0, 0}};
  int first = options_or_die(argc, argv, none, USAGE, 1, CONTROL_ASK_MAX);
  struct job j = {.n = (size_t)(argc - first)};
  stralloc text = STRALLOC_INIT;
  struct conf conf;
  struct strerr e;

  for (int i = first; i < argc; ++i) {
    struct control_request r = {.command = CONTROL_turn, .by = CONTROL_BY_DOMAIN};

    if (!stralloc_copys(&r.text, argv[i]) || !control_request_format(&j.lines, &r)) strerr_die_nomem(FATAL);
    control_request_free(&r);
  }
  if (conf_load(&conf, CONF_ADMIN | CONF_SEND, &e) == -1 || queue_list_each(&conf, one_queue, &j, &e) == -1) strerr_die(111, FATAL, &e);
  if (!j.asked) strerr_diem(111, FATAL, "no qmail-send runs", (char *)0);
  if (j.failed && !j.due) return 111;
  if (!stralloc_catu64(&text, j.due) || !stralloc_append(&text, '\n')) strerr_die_nomem(FATAL);
  return fd_write_all(1, text.s, text.len) == -1 ? 111 : 0;
}
