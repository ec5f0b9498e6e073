/* nssd: tells the programs of this host who virtual users are, through its module of NSS
 * (libnss_nssd.so.2). */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/options.h"
#include "conf/conf.h"
#include "conf/paths.h"
#include "user/identity.h"
#include "user/nss_daemon.h"
#include "user/nss_proto.h"

#define FATAL "nssd: fatal: "
#define USAGE "nssd [-v] [-d level]"
#define BACKLOG 128

/* Below a directory that only we can write in: whoever asks trusts what answers there. */
static int open_socket(void) {
  struct sockaddr_un sa = {.sun_family = AF_UNIX};
  stralloc path = STRALLOC_INIT, dir = STRALLOC_INIT;
  int fd;

  if (!paths_get(PATH_RUN, &dir)) strerr_die_nomem(FATAL);
  if (file_mkdir(dir.s, 0755) == -1) strerr_diem_sys(111, FATAL, "unable to make ", dir.s, (char *)0);
  if (!paths_file(PATH_RUN, NSS_SOCKET, &path) || file_dirname(path.s, &dir) == -1) strerr_die_nomem(FATAL);
  if (file_mkdir(dir.s, 0755) == -1 || chmod(dir.s, 0755) == -1) strerr_diem_sys(111, FATAL, "unable to make ", dir.s, (char *)0);
  if (!stralloc_cats(&dir, "/lock")) strerr_die_nomem(FATAL);
  if (lock_file_nb(dir.s) == -1) strerr_diem_sys(111, FATAL, "unable to lock ", dir.s, (char *)0);
  if (path.len >= sizeof sa.sun_path) strerr_diem(111, FATAL, "the path is too long: ", path.s, (char *)0);
  memcpy(sa.sun_path, path.s, path.len + 1);
  unlink(path.s);
  fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd == -1 || bind(fd, (struct sockaddr *)&sa, sizeof sa) == -1 || chmod(path.s, 0666) == -1 || listen(fd, BACKLOG) == -1)
    strerr_diem_sys(111, FATAL, "unable to listen at ", path.s, (char *)0);
  stralloc_free(&path);
  stralloc_free(&dir);
  return fd;
}

int main(int argc, char **argv) {
  struct nss_daemon d = {-1, 0};
  uint64_t level = 0;
  const struct option options[] = {{'v', OPTION_COUNT, &d.verbose, 0}, {'d', OPTION_U64, &level, 9}, {0, OPTION_FLAG, 0, 0}};
  struct identity mail;
  struct conf conf;
  struct strerr e;

  options_or_die(argc, argv, options, USAGE, 0, 0);
  if (level) d.verbose = 1;
  /* Before we listen: the lookup of the account may come to our own module. */
  if (conf_load(&conf, CONF_LOGIN, &e) == -1 || identity_mail(conf_line(&conf, SET_mailuser), &mail, &e) == -1) strerr_die(111, FATAL, &e);
  d.listener = open_socket();
  if (identity_become(&mail, &e) == -1) strerr_die(111, FATAL, &e);
  strerr_warnm("nssd: ready", (char *)0);
  if (nss_daemon_run(&d, &e) == -1) strerr_die(111, FATAL, &e);
  return 0;
}
