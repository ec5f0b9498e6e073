/* qmail-qmqpc: stands in for qmail-queue where this host keeps no mail: the message goes to
 * the first server of control/qmqpservers that takes the connection (smtp/qmqp_client.c). */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/options.h"
#include "base/scan.h"
#include "base/sigfd.h"
#include "conf/conf.h"
#include "queue/accept.h"
#include "queue/exitcodes.h"
#include "smtp/qmqp_client.h"

#define PREFIX "qmail-qmqpc: "
#define MESSAGE_MAX SIZE_MAX

static void die_timer(int sig) {
  (void)sig;
  _exit(QQ_timer);
}

static int arguments(char **argv, struct strlist *servers) {
  for (; *argv; ++argv)
    if (!strlist_add(servers, *argv, strlen(*argv))) return 0;
  return 1;
}

static int send_message(char **argv, const struct conf *conf, stralloc *text, struct strerr *e) {
  stralloc message = STRALLOC_INIT;
  struct envelope env = {0};
  struct strlist named = {0};
  int code = QQ_memory;

  strerr_set(e, "unable to read the message", (char *)0);
  if (!arguments(argv, &named)) return code;
  code = fd_slurp(0, &message, MESSAGE_MAX) == -1 ? QQ_read : accept_read_envelope(&env, 1);
  if (code == QQ_queued) code = qmqp_send(named.len ? &named : conf_lines(conf, SET_qmqpservers), conf, &message, &env, text, e);
  stralloc_free(&message);
  envelope_free(&env);
  strlist_free(&named);
  return code;
}

/* The server's words, or ours, where the caller wants words. */
static int explain(int code, const struct conf *conf, const stralloc *text, const struct strerr *e) {
  const char *named = conf_line(conf, SET_error_fd);
  stralloc line = STRALLOC_INIT;
  uint64_t fd;
  int ok = code != QQ_queued && conf_flag(conf, SET_queue_custom_error) && scan_u64(named, strlen(named), &fd) && fd > 1 &&
           fd < 1000 && fcntl((int)fd, F_GETFD) != -1;

  if (ok && text->len) ok = stralloc_cat(&line, text);
  else if (ok) ok = stralloc_append(&line, exitcodes_reply(code)[0]) && stralloc_cats(&line, e->text);
  if (ok) ok = stralloc_append(&line, '\n') && fd_write_all((int)fd, line.s, line.len) == 0;
  stralloc_free(&line);
  return ok ? QQ_custom : code;
}

int main(int argc, char **argv) {
  const struct option table[] = {{0, OPTION_FLAG, 0, 0}};
  int first = options_or_die(argc, argv, table, "qmail-qmqpc [server ...]", 0, -1);
  stralloc text = STRALLOC_INIT;
  struct conf conf;
  struct strerr e;
  uint64_t death;
  int code;

  sig_ignore_pipe();
  signal(SIGALRM, die_timer);
  if (conf_load(&conf, CONF_QUEUE | CONF_REMOTE, &e) == -1) {
    strerr_warn(PREFIX, &e);
    return QQ_config;
  }
  death = conf_number(&conf, SET_death);
  alarm(death > 0 && death < 1000000 ? (unsigned)death : 86400);
  code = send_message(argv + first, &conf, &text, &e);
  if (code != QQ_queued && !text.len) strerr_warn(PREFIX, &e);
  code = explain(code, &conf, &text, &e);
  stralloc_free(&text);
  conf_free(&conf);
  return code;
}
