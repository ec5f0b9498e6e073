/* inquerytest: asks inlookup one question and prints the answer, field by field. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fmt.h"
#include "base/iodeadline.h"
#include "base/now.h"
#include "base/options.h"
#include "base/scan.h"
#include "base/strerr.h"
#include "base/substdio.h"
#include "conf/conf.h"
#include "conf/paths.h"
#include "user/lookup.h"
#include "user/lookup_proto.h"

#define FATAL "inquerytest: fatal: "
#define USAGE "inquerytest [-v] [-t seconds] [-n times] [-i fifo] -q user|account|alias|domain|verify|scram-first|overquota|times address " \
  "[service [ip] | mechanism | bytes]"

static void die(void) {
  strerr_diem_sys(111, FATAL, "unable to ask inlookup", (char *)0);
}

static int socket_to(int slow) {
  struct sockaddr_un sa = {.sun_family = AF_UNIX};
  stralloc path = STRALLOC_INIT;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (!lookup_socket_path(slow, &path)) strerr_die_nomem(FATAL);
  if (path.len >= sizeof sa.sun_path) strerr_diem(111, FATAL, "the path is too long: ", path.s, (char *)0);
  memcpy(sa.sun_path, path.s, path.len + 1);
  if (fd == -1 || connect(fd, (struct sockaddr *)&sa, sizeof sa) == -1)
    strerr_diem_sys(111, FATAL, "unable to ask inlookup at ", path.s, (char *)0);
  stralloc_free(&path);
  return fd;
}

static void send_request(int to, const stralloc *request, deadline when) {
  struct iodeadline io = {.fd = to, .when = when, .session = DEADLINE_NEVER};
  size_t sent = 0;

  while (sent < request->len) {
    ssize_t w = iodeadline_write(&io, request->s + sent, request->len - sent);

    if (w == -1) die();
    sent += (size_t)w;
  }
}

/* One whole answer: 0, or -1 with errno (0: the other side closed). */
static int receive(int from, stralloc *answer, deadline when) {
  struct iodeadline io = {.fd = from, .when = when, .session = DEADLINE_NEVER};
  long n = 0;

  stralloc_cut(answer, 0);
  while (n == 0) {
    ssize_t r;

    if (!stralloc_readyplus(answer, 1024)) strerr_die_nomem(FATAL);
    r = iodeadline_answer(&io, answer->s + answer->len, answer->a - 1 - answer->len);
    if (r == 0) errno = 0;
    if (r <= 0) return -1;
    answer->len += (size_t)r;
    n = lookup_frame(answer->s, answer->len, LOOKUP_ANSWER_MAX);
  }
  if (n != (long)answer->len) strerr_diem(111, FATAL, "malformed answer", (char *)0);
  return 0;
}

static void exchange(int fd, const stralloc *request, stralloc *answer, deadline when) {
  send_request(fd, request, when);
  if (receive(fd, answer, when) == 0) return;
  if (errno) die();
  strerr_diem(111, FATAL, "inlookup closed the connection", (char *)0);
}

/* The published FIFO: our own FIFO for the answer, with a name nobody can guess. */
static void by_fifo(const char *fifo, enum lookup_op op, const char *const *arg, stralloc *answer, deadline when) {
  stralloc path = STRALLOC_INIT, mine = STRALLOC_INIT, request = STRALLOC_INIT;
  char name[32];
  uint64_t random[2];
  size_t n;
  int in, out, saved, r = -1;

  if (getrandom(random, sizeof random, 0) != sizeof random) die();
  n = fmt_hex64_pad(name, random[0], 12);
  n += fmt_hex64_pad(name + n, random[1], 12);
  name[n] = 0;
  if (!paths_file(PATH_RUN, "inlookup/", &path) || !stralloc_cats(&path, fifo) ||
      !paths_file(PATH_RUN, "inlookup/reply/", &mine) || !stralloc_cats(&mine, name) ||
      !lookup_request_fmt(&request, name, op, arg))
    strerr_die_nomem(FATAL);
  if (mkfifo(mine.s, 0622) == -1 || chmod(mine.s, 0622) == -1)
    strerr_diem_sys(111, FATAL, "unable to create ", mine.s, (char *)0);
  in = fd_open_read(mine.s);
  out = fd_open_write_nonblock(path.s);
  if (in != -1 && out != -1 && write(out, request.s, request.len) == (ssize_t)request.len) r = receive(in, answer, when);
  saved = errno;
  unlink(mine.s);
  errno = saved;
  if (r == -1) strerr_diem_sys(111, FATAL, "no answer through ", path.s, (char *)0);
  stralloc_free(&path);
  stralloc_free(&mine);
  stralloc_wipe(&request);
}

static int compare(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

  return x < y ? -1 : x > y;
}

/* Of so many queries, in ns: mean and median. */
static void tell_times(uint32_t *took, uint64_t times) {
  char mean[FMT_U64 + 1], median[FMT_U64 + 1];
  uint64_t sum = 0;

  for (uint64_t k = 0; k < times; ++k) sum += took[k];
  qsort(took, times, sizeof *took, compare);
  strerr_warnm("inquerytest: ", fmt_u64_z(mean, sum / times / 1000), " microseconds a query, median ",
               fmt_u64_z(median, took[times / 2] / 1000), (char *)0);
}

static int print(const stralloc *answer) {
  static const int codes[LOOKUP_STATUSES] = {
      [LOOKUP_STATUS_ok] = 0,          [LOOKUP_STATUS_kept] = 0,  [LOOKUP_STATUS_none] = 1,
      [LOOKUP_STATUS_temporary] = 111, [LOOKUP_STATUS_bad] = 100, [LOOKUP_STATUS_denied] = 100,
  };
  struct lookup_reader r;
  struct lookup_field f;
  char buf[1024];
  substdio out;
  int status = lookup_answer_parse(answer->s, answer->len, &r);

  if (status == -1) strerr_diem(111, FATAL, "malformed answer", (char *)0);
  substdio_initfd_write(&out, 1, buf, sizeof buf);
  if (substdio_puts(&out, lookup_status_name((enum lookup_status)status)) == -1 || substdio_putlit(&out, "\n") == -1) die();
  while (lookup_answer_next(&r, &f) == 1)
    if (substdio_put(&out, f.s, f.n) == -1 || substdio_putlit(&out, "\n") == -1) die();
  if (substdio_flush(&out) == -1) die();
  return codes[status];
}

/* The password, a line of standard input: never an argument. */
static void read_password(stralloc *line) {
  char buf[256];
  substdio in;
  int match;

  substdio_initfd_read(&in, 0, buf, sizeof buf);
  if (getln(&in, line, &match, '\n', 512) == -1) die();
  if (match) stralloc_cut(line, line->len - 1);
  explicit_bzero(buf, sizeof buf);
}

static int arguments_max(int op) {
  return op == LOOKUP_OP_verify ? 3 : op == LOOKUP_OP_scram_first || op == LOOKUP_OP_overquota ? 2 : 1;
}

int main(int argc, char **argv) {
  const char *query = 0, *fifo = 0;
  uint64_t times = 1, seconds = 4;
  int verbose = 0;
  const struct option options[] = {
      {'q', OPTION_STRING, &query, 0}, {'i', OPTION_STRING, &fifo, 0}, {'n', OPTION_U64, &times, 0},
      {'t', OPTION_U64, &seconds, 3600}, {'v', OPTION_COUNT, &verbose, 0}, {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 1, 3);
  int op = query ? lookup_op_find(query, strlen(query)) : -1;
  stralloc password = STRALLOC_INIT, request = STRALLOC_INIT, answer = STRALLOC_INIT;
  const char *arg[LOOKUP_ARGUMENTS_MAX] = {argv[i], "", argc - i > 1 ? argv[i + 1] : "imap", argc - i > 2 ? argv[i + 2] : ""};
  uint64_t asked = 0;
  uint32_t *took;
  deadline when;
  int fd;

  if (op == -1 || !times || op == LOOKUP_OP_scram_final || op == LOOKUP_OP_passwd || argc - i > arguments_max(op)) strerr_die_usage(USAGE);
  if (op == LOOKUP_OP_scram_first) arg[1] = argc - i > 1 ? argv[i + 1] : "SCRAM-SHA-256";
  if (op == LOOKUP_OP_overquota) {
    if (argc - i != 2) strerr_die_usage(USAGE);
    arg[1] = argv[i + 1];
  }
  if (op == LOOKUP_OP_verify) {
    read_password(&password);
    arg[1] = stralloc_cstr(&password);
  }
  when = deadline_in((int64_t)seconds);
  took = calloc(times, sizeof *took);
  if (!took || !lookup_request_fmt(&request, 0, (enum lookup_op)op, arg)) strerr_die_nomem(FATAL);
  fd = fifo ? -1 : socket_to(lookup_ops[op].pool == LOOKUP_SLOW);
  while (asked < times) {
    int64_t start = mono_now(), ns;

    if (fifo) by_fifo(fifo, (enum lookup_op)op, arg, &answer, when);
    else exchange(fd, &request, &answer, when);
    ns = mono_now() - start;
    took[asked++] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
  }
  if (verbose) tell_times(took, times);
  free(took);
  stralloc_wipe(&password);
  stralloc_wipe(&request);
  return print(&answer);
}
