/* ismaildup: runs a program that delivers a message, unless the same message has been delivered
 * here of late.  What it delivered is noted when it has done so: a message whose delivery fails
 * comes again, and is no duplicate then. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/now.h"
#include "base/options.h"
#include "base/program.h"
#include "conf/conf.h"
#include "user/maildup.h"

#define FATAL "ismaildup: fatal: "
#define USAGE "ismaildup directory program [arguments]"
#define STOP 99        /* of a .qmail program: delivered, and nothing else shall be done */
#define LOCK_WAIT 600  /* seconds */

static int run(char **argv, int message) {
  struct spawn s = {.path = argv[0], .argv = argv};
  struct strerr e;
  int code;

  if (lseek(message, 0, SEEK_SET) == -1) strerr_diem_sys(111, FATAL, "unable to rewind the message", (char *)0);
  spawn_move(&s, message, 0);
  code = program_run(&s, 0, 0, DEADLINE_NEVER, &e);
  if (code == -1) strerr_die(111, FATAL, &e);
  return code > 127 ? 111 : code; /* killed */
}

int main(int argc, char **argv) {
  const struct option options[] = {{0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 2, -1);
  char digest[MAILDUP_DIGEST + 1];
  struct maildup m;
  struct conf conf;
  struct strerr e;
  struct stat st;
  int64_t age;
  int message, code;

  if (conf_load(&conf, CONF_LOCAL, &e) == -1) strerr_die(111, FATAL, &e);
  age = (int64_t)conf_number(&conf, SET_eliminate_dups_int);
  message = fd_seekable(0);
  if (message == -1 || fstat(message, &st) == -1) strerr_diem_sys(111, FATAL, "unable to read the message", (char *)0);
  if (!st.st_size) return 0;
  if (maildup_digest(message, digest, &e) == -1) strerr_die(111, FATAL, &e);
  alarm(LOCK_WAIT); /* ends us: then the delivery is tried again later */
  if (maildup_open(&m, argv[i], &e) == -1) strerr_die(111, FATAL, &e);
  alarm(0);
  if (maildup_has(&m, digest, wall_now(), age)) return 0;
  code = run(argv + i + 1, message);
  /* Delivered is delivered, noted or not. */
  if ((code == 0 || code == STOP) && maildup_add(&m, digest, wall_now(), age, &e) == -1) strerr_warn("ismaildup: warning: ", &e);
  maildup_close(&m);
  conf_free(&conf);
  return code;
}
