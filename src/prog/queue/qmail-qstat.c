/* qmail-qstat: how many messages the queues hold. */
#include <string.h>

#include "base/strerr.h"
#include "base/substdio.h"
#include "send/queue_list.h"

#define FATAL "qmail-qstat: fatal: "
#define USAGE "qmail-qstat [--json]"

static int add(void *ctx, const char *queue, struct strerr *e) {
  struct queue_counts *total = ctx;
  struct queue_counts c;

  (void)queue;
  if (queue_list_count(&c, e) == -1) return -1;
  total->messages += c.messages;
  total->untried += c.untried;
  total->unaccepted += c.unaccepted;
  return 0;
}

static int print(substdio *out, const struct queue_counts *c, int json) {
  const struct {
    const char *text, *json;
    uint64_t n;
  } rows[] = {
      {"messages in queue: ", "{\"messages\":", c->messages},
      {"messages in queue but not yet tried: ", ",\"untried\":", c->untried},
      {"messages being received: ", ",\"unaccepted\":", c->unaccepted},
  };

  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i)
    if (substdio_puts(out, json ? rows[i].json : rows[i].text) == -1 || substdio_putu64(out, rows[i].n) == -1 ||
        substdio_puts(out, json ? "" : "\n") == -1)
      return -1;
  if (json && substdio_puts(out, "}\n") == -1) return -1;
  return substdio_flush(out);
}

int main(int argc, char **argv) {
  struct queue_counts total = {0};
  char buf[512];
  substdio out;
  struct conf conf;
  struct strerr e;
  int json = argc == 2 && !strcmp(argv[1], "--json");

  if (argc != 1 && !json) strerr_die_usage(USAGE);
  if (conf_load(&conf, CONF_ADMIN | CONF_SEND, &e) == -1 || queue_list_each(&conf, add, &total, &e) == -1)
    strerr_die(111, FATAL, &e);
  substdio_initfd_write(&out, 1, buf, sizeof buf);
  if (print(&out, &total, json) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  return 0;
}
