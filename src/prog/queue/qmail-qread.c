/* qmail-qread: list the messages and recipients in the queues. */
#include <string.h>

#include "base/options.h"
#include "base/strerr.h"
#include "base/substdio.h"
#include "send/queue_list.h"

#define FATAL "qmail-qread: fatal: "
#define USAGE "qmail-qread [--json]"

struct context {
  const struct conf *conf;
  substdio *out;
  int json;
};

static int print(void *ctx, const char *queue, struct strerr *e) {
  const struct context *c = ctx;

  return queue_list_print(c->conf, queue, c->json, c->out, e);
}

int main(int argc, char **argv) {
  char buf[8192];
  substdio out;
  struct conf conf;
  struct strerr e;
  struct context c = {&conf, &out, 0};

  if (argc == 2 && !strcmp(argv[1], "--json")) c.json = 1;
  else if (argc != 1) strerr_die_usage(USAGE);
  substdio_initfd_write(&out, 1, buf, sizeof buf);
  if (conf_load(&conf, CONF_ADMIN | CONF_SEND, &e) == -1 || queue_list_each(&conf, print, &c, &e) == -1)
    strerr_die(111, FATAL, &e);
  if (substdio_flush(&out) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  return 0;
}
