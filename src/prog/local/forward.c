/* forward: send the message of a .qmail program line on to other addresses. */
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/options.h"
#include "base/sigfd.h"
#include "base/strerr.h"
#include "base/substdio.h"
#include "queue/qqclient.h"

#define FATAL "forward: fatal: "

static const char *need(const char *name) {
  const char *v = env_get(name);

  if (!v) strerr_diem(100, FATAL, "$", name, " is not set: this program is for .qmail files", (char *)0);
  return v;
}

int main(int argc, char **argv) {
  static const struct option none[] = {{0, 0, 0, 0}};
  int first = options_or_die(argc, argv, none, "forward address...", 1, -1);
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
  qqclient_from(&q, sender, strlen(sender));
  for (int i = first; i < argc; ++i) qqclient_to(&q, argv[i], strlen(argv[i]));
  if (qqclient_close(&q, &r) == -1)
    strerr_diem(r.verdict == 'D' ? 100 : 111, FATAL, stralloc_cstr(&r.text), (char *)0);
  return 0;
}
