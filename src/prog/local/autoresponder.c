/* autoresponder: answers a message, once to each sender in a while (RFC 3834). */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/env.h"
#include "base/file.h"
#include "base/now.h"
#include "base/options.h"
#include "base/sigfd.h"
#include "base/strerr.h"
#include "base/substdio.h"
#include "conf/conf.h"
#include "local/answered.h"
#include "mail/autoreply.h"
#include "mail/header.h"
#include "queue/qqclient.h"

#define FATAL "autoresponder: fatal: "
#define USAGE "autoresponder [-cqlN] [-n max] [-t seconds] [-T type] [-s prefix] [-S subject] [-b begin] [-e end] [-f from] message directory"
#define FIELD_MAX 65536
#define TEXT_MAX 1048576
#define ORIGINAL_MAX 1048576
#define WEEK 604800

static struct {
  int copy, quiet, lax, print;
  uint64_t max;
  int64_t seconds;
  const char *type, *prefix, *subject, *begin, *end, *from;
} opt = {.max = 1, .seconds = WEEK, .type = "text/plain; charset=utf-8", .prefix = "Re:", .begin = "", .end = "", .from = ""};

static const char *need(const char *name) {
  const char *v = env_get(name);

  if (!v) strerr_diem(100, FATAL, "$", name, " is not set: this program is for .qmail files", (char *)0);
  return v;
}

static void leave(const char *why) {
  if (!opt.quiet) strerr_warnm("autoresponder: not answered: ", why, (char *)0);
  _exit(0);
}

/* Local time, "YYYY-mm-dd HH:MM:SS". */
static int64_t moment(const char *text) {
  struct tm tm = {.tm_isdst = -1};
  const char *end = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);

  if (!end || *end) strerr_diem(100, FATAL, "a time is YYYY-mm-dd HH:MM:SS: ", text, (char *)0);
  return (int64_t)mktime(&tm);
}

/* What goes into a header must not begin another field. */
static void check_line(const char *text) {
  if (strpbrk(text, "\r\n")) strerr_diem(100, FATAL, "an option has two lines", (char *)0);
}

static void read_header(struct autoreply *a) {
  struct header_reader h = {.ahead = STRALLOC_INIT};
  stralloc field = STRALLOC_INIT;
  char buf[4096];
  substdio in;
  enum header_line line;

  substdio_initfd_read(&in, 0, buf, sizeof buf);
  while ((line = header_next(&h, &in, &field, FIELD_MAX)) == HEADER_FIELD)
    if (!autoreply_field(a, field.s, field.len)) strerr_die_nomem(FATAL);
  if (line == HEADER_NOMEM) strerr_die_nomem(FATAL);
  if (line == HEADER_ERROR) strerr_diem_sys(111, FATAL, "unable to read the message", (char *)0);
  header_reader_free(&h);
  stralloc_free(&field);
}

/* The message, as one reads it in an answer. */
static void quote(stralloc *out) {
  char buf[8192];
  size_t left = ORIGINAL_MAX;
  int start = 1;
  ssize_t n;

  if (lseek(0, 0, SEEK_SET) == -1) strerr_diem_sys(111, FATAL, "unable to read the message", (char *)0);
  if (!stralloc_catlit(out, "\n")) strerr_die_nomem(FATAL);
  while (left && (n = read(0, buf, sizeof buf)) > 0) {
    for (ssize_t i = 0; i < n && left; ++i, --left) {
      if ((start && !stralloc_catlit(out, "> ")) || !stralloc_append(out, buf[i])) strerr_die_nomem(FATAL);
      start = buf[i] == '\n';
    }
  }
}

static void compose(const struct autoreply *a, const char *file, const char *me, int64_t now, stralloc *out) {
  const char *name = env_get("SERVICE_RESPONDER");
  struct autoreply_answer w = {.from = opt.from, .name = name ? name : "", .subject = opt.subject, .prefix = opt.prefix, .type = opt.type,
                               .host = me, .now = now, .unique = (uint64_t)getpid()};
  stralloc text = STRALLOC_INIT;
  int r = file_read(file, &text, TEXT_MAX);

  check_line(w.name);
  if (r != 1) strerr_diem_sys(111, FATAL, "unable to read ", file, (char *)0);
  if (!autoreply_compose(a, &w, stralloc_cstr(&text), text.len, out)) strerr_die_nomem(FATAL);
  if (opt.copy) quote(out);
  stralloc_free(&text);
}

static void queue_mail(const char *to, const stralloc *text) {
  struct qqclient q;
  struct qqresult r;
  struct strerr e;

  if (qqclient_open(&q, 0, 0, &e) == -1) strerr_die(111, FATAL, &e);
  qqclient_put(&q, text->s, text->len);
  qqclient_from(&q, "", 0);
  qqclient_to(&q, to, strlen(to));
  if (qqclient_close(&q, &r) == -1) strerr_diem(111, FATAL, "unable to queue the answer: ", stralloc_cstr(&r.text), (char *)0);
  qqresult_free(&r);
}

static void print(const stralloc *text) {
  char buf[4096];
  substdio out;

  substdio_initfd_write(&out, 1, buf, sizeof buf);
  if (substdio_put(&out, text->s, text->len) == -1 || substdio_flush(&out) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
}

int main(int argc, char **argv) {
  const struct option options[] = {
      {'c', OPTION_FLAG, &opt.copy, 1},      {'q', OPTION_FLAG, &opt.quiet, 1},     {'l', OPTION_FLAG, &opt.lax, 1},
      {'N', OPTION_FLAG, &opt.print, 1},     {'n', OPTION_U64, &opt.max, 1000},     {'t', OPTION_I64, &opt.seconds, 0},
      {'T', OPTION_STRING, &opt.type, 0},    {'s', OPTION_STRING, &opt.prefix, 0},  {'S', OPTION_STRING, &opt.subject, 0},
      {'b', OPTION_STRING, &opt.begin, 0},   {'e', OPTION_STRING, &opt.end, 0},     {'f', OPTION_STRING, &opt.from, 0},
      {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 2, 2);
  struct autoreply a = {.sender = need("SENDER"), .recipient = autoreply_recipient(need("RECIPIENT")), .lax = opt.lax};
  stralloc answer = STRALLOC_INIT;
  int64_t now = wall_now();
  const char *against;
  struct conf conf;
  struct strerr e;
  int may;

  sig_ignore_pipe();
  if (lseek(0, 0, SEEK_SET) == -1) strerr_diem_sys(111, FATAL, "unable to rewind the message", (char *)0);
  check_line(opt.type);
  check_line(opt.prefix);
  check_line(opt.from);
  if (opt.subject) check_line(opt.subject);
  if (*opt.begin && now < moment(opt.begin)) leave("the time for it has not come");
  if (*opt.end && now >= moment(opt.end)) leave("the time for it is over");
  if (conf_load(&conf, CONF_LOCAL, &e) == -1) strerr_die(111, FATAL, &e);
  read_header(&a);
  against = autoreply_against(&a);
  if (against) leave(against);
  compose(&a, argv[i], conf_line(&conf, SET_me), now, &answer);
  if (opt.print) {
    print(&answer);
    return 0;
  }
  may = answered_may(argv[i + 1], a.sender, opt.max, opt.seconds, now, &e);
  if (may == -1) strerr_die(111, FATAL, &e);
  if (may == 0) leave("its sender has had an answer");
  queue_mail(a.sender, &answer);
  autoreply_free(&a);
  stralloc_free(&answer);
  return 0;
}
