/* qmail-tcpto: print the addresses that remote deliveries could not reach lately. */
#include "base/now.h"
#include "base/strerr.h"
#include "base/substdio.h"
#include "queue/collection.h"
#include "queue/tcpto.h"
#include "send/queue_list.h"

#define FATAL "qmail-tcpto: fatal: "

static int print(substdio *out, const char *queue, const struct tcpto_record *r) {
  int64_t ago = wall_now() - r->when;
  char ip[IP_TEXT];

  ip_fmt(ip, &r->ip);
  if (substdio_puts(out, collection_name(queue)) == -1 || substdio_puts(out, " ") == -1 || substdio_puts(out, ip) == -1 ||
      substdio_puts(out, " failed ") == -1 || substdio_putu64(out, r->count) == -1 ||
      substdio_puts(out, r->count == 1 ? " time, last " : " times, last ") == -1 ||
      substdio_putu64(out, ago > 0 ? (unsigned long long)ago : 0) == -1 || substdio_puts(out, " seconds ago\n") == -1)
    return -1;
  return 0;
}

static int print_queue(void *ctx, const char *queue, struct strerr *e) {
  unsigned char table[TCPTO_BYTES];

  if (tcpto_read(table) == -1) return strerr_sys(e, "unable to read ", queue, "/" TCPTO_FILE, (char *)0);
  for (size_t i = 0; i < TCPTO_RECORDS; ++i) {
    struct tcpto_record r;

    if (tcpto_parse(table + i * TCPTO_RECORD, &r) && print(ctx, queue, &r) == -1)
      return strerr_sys(e, "unable to write", (char *)0);
  }
  return 0;
}

int main(int argc, char **argv) {
  char buf[4096];
  substdio out;
  struct conf conf;
  struct strerr e;

  (void)argv;
  if (argc != 1) strerr_die_usage("qmail-tcpto");
  substdio_initfd_write(&out, 1, buf, sizeof buf);
  if (conf_load(&conf, CONF_ADMIN | CONF_SEND, &e) == -1 || queue_list_each(&conf, print_queue, &out, &e) == -1)
    strerr_die(111, FATAL, &e);
  if (substdio_flush(&out) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  return 0;
}
