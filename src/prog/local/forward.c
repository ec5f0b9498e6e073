/* forward: send the message of a .qmail program line on to other addresses. */
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/options.h"
#include "base/sigfd.h"
#include "base/strerr.h"
#include "base/substdio.h"
#include "mail/dsn.h"
#include "queue/qqclient.h"
#include "queue/spawn_proto.h"

#define FATAL "forward: fatal: "

static const char *need(const char *name) {
  const char *v = env_get(name);

  if (!v) strerr_diem(100, FATAL, "$", name, " is not set: this program is for .qmail files", (char *)0);
  return v;
}

static const char *have(const char *name) {
  const char *v = env_get(name);

  return v ? v : "";
}

/* What the sender asked goes with the copies (RFC 3461 section 5.2.7), as those of a .qmail file; from an
 * owner's address they are new mail.  1 where a notice of success is left to the one recipient. */
static int put_recipients(struct qqclient *q, const char *sender, char *const *to, int n, int alone) {
  const int same = !strcmp(sender, have("SENDER"));
  const char *mail = have("DSNMAIL"), *rcpt = have("DSNRCPT");
  stralloc asked = STRALLOC_INIT;
  int passed_on;

  qqclient_from(q, sender, strlen(sender));
  if (same && !dsn_mail_forward(&asked, mail, strlen(mail))) qqclient_fail(q);
  qqclient_from_dsn(q, asked.s, asked.len);
  stralloc_cut(&asked, 0);
  if (same && !dsn_rcpt_forward(&asked, rcpt, strlen(rcpt), !alone)) qqclient_fail(q);
  for (int i = 0; i < n; ++i) {
    qqclient_to(q, to[i], strlen(to[i]));
    qqclient_to_dsn(q, asked.s, asked.len);
  }
  passed_on = alone && asked.len && q->takes_dsn;
  stralloc_free(&asked);
  return passed_on;
}

int main(int argc, char **argv) {
  int alone = 0, passed_on;
  const struct option options[] = {{'a', OPTION_FLAG, &alone, 1}, {0, OPTION_FLAG, 0, 0}};
  int first = options_or_die(argc, argv, options, "forward [-a] address...", 1, -1);
  const char *sender = need("NEWSENDER");
  const char *dtline = need("DTLINE");
  struct qqclient q;
  struct qqresult r;
  struct strerr e;
  char buf[8192];
  substdio in;
  ssize_t n;

  sig_ignore_pipe();
  if (lseek(0, 0, SEEK_SET) == -1) strerr_diem_sys(111, FATAL, "unable to rewind the message", (char *)0);
  if (qqclient_open(&q, 0, 0, &e) == -1) strerr_die(111, FATAL, &e);
  qqclient_puts(&q, dtline);
  substdio_initfd_read(&in, 0, buf, sizeof buf);
  while ((n = substdio_feed(&in)) > 0) {
    qqclient_put(&q, substdio_peek(&in), (size_t)n);
    substdio_take(&in, (size_t)n);
  }
  if (n < 0) qqclient_fail(&q);
  passed_on = put_recipients(&q, sender, argv + first, argc - first, alone && argc - first == 1);
  if (qqclient_close(&q, &r) == -1)
    strerr_diem(r.verdict == 'D' ? 100 : 111, FATAL, stralloc_cstr(&r.text), (char *)0);
  if (passed_on) (void)!fd_write_all(1, SPAWN_DSN_FORWARDED + 1, sizeof SPAWN_DSN_FORWARDED - 2);
  return 0;
}
