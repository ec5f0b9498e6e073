/* tls_client: see net/tls_client.h.  The part that knows where the daemon's socket,
 * its program and the certificate are; net/tls_handoff.c does the rest. */
#include "net/tls_client.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "conf/paths.h"
#include "net/connect.h"
#include "net/tls_handoff.h"

#define TLS_SOCKET "tls/socket"
#define TLS_CERTIFICATE "servercert.pem"

static int daemon_answers(void) {
  stralloc path = STRALLOC_INIT;
  int fd = paths_file(PATH_RUN, TLS_SOCKET, &path) ? connect_unix(path.s, SOCK_SEQPACKET) : -1;

  stralloc_free(&path);
  fd_close(fd);
  return fd != -1;
}

static int certificate_readable(void) {
  const char *name = env_get("SERVERCERT");
  stralloc path = STRALLOC_INIT;
  int yes;

  if (!name || !*name) name = TLS_CERTIFICATE;
  yes = *name == '/' ? stralloc_copys(&path, name) : paths_file(PATH_CERTS, name, &path);
  if (yes) yes = access(path.s, R_OK) == 0;
  stralloc_free(&path);
  return yes;
}

int tls_available(void) {
  return certificate_readable() || daemon_answers();
}

int tls_start(int netfd, const struct tls_request *r, deadline when, struct tls_info *info, struct strerr *e) {
  stralloc path = STRALLOC_INIT, program = STRALLOC_INIT;
  int fd;

  if (paths_file(PATH_RUN, TLS_SOCKET, &path) && paths_program("qmail-tlsd", &program)) {
    const struct tls_places at = {path.s, program.s};

    fd = tls_handoff(netfd, &at, r, when, info, e);
  } else {
    errno = ENOMEM;
    strerr_sys(e, "unable to start TLS", (char *)0);
    fd = fd_close(netfd);
  }
  stralloc_free(&path);
  stralloc_free(&program);
  return fd;
}
