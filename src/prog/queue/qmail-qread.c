/* qmail-qread: list the messages and recipients in the queues. */
#include <string.h>

#include "base/options.h"
#include "base/strerr.h"
#include "base/substdio.h"
#include "send/queue_list.h"

#define FATAL "qmail-qread: fatal: "
#define USAGE "qmail-qread [-l] [--json]"

static int form = QUEUE_LIST_SHORT;

struct context {
  const struct conf *conf;
  substdio *out;
  size_t unread;
};

static int print(void *ctx, const char *queue, struct strerr *e) {
  struct context *c = ctx;

  return queue_list_print(c->conf, queue, (enum queue_list_form)form, c->out, &c->unread, e);
}

static int long_option(const char *name) {
  form = QUEUE_LIST_JSON;
  return !strcmp(name, "json");
}

int main(int argc, char **argv) {
  static const struct option options[] = {{'l', OPTION_FLAG, &form, QUEUE_LIST_LONG},
                                          {'-', OPTION_CALL, (void *)(uintptr_t)long_option, 0},
                                          {0, 0, 0, 0}};
  char buf[8192];
  substdio out;
  struct conf conf;
  struct strerr e;
  struct context c = {&conf, &out, 0};

  options_or_die(argc, argv, options, USAGE, 0, 0);
  substdio_initfd_write(&out, 1, buf, sizeof buf);
  if (conf_load(&conf, CONF_ADMIN | CONF_SEND, &e) == -1 || queue_list_each(&conf, print, &c, &e) == -1)
    strerr_die(111, FATAL, &e);
  if (substdio_flush(&out) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  return c.unread ? 111 : 0;
}
