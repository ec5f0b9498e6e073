/* turn: see turn.h. */
#include "smtp/turn.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/wait.h"
#include "conf/paths.h"
#include "net/connect.h"
#include "net/fdpass.h"
#include "net/keeper.h"

#define IDLE_SECONDS 20   /* for the next message that is due */
#define LAST_SECONDS 1    /* for one that came meanwhile */
#define MESSAGE_SECONDS 3600
#define BACKLOG 128

/* before: "." for the lock. */
static int place(const char *before, const char *domain, stralloc *path) {
  stralloc name = STRALLOC_INIT;
  int ok = stralloc_copys(&name, domain);

  if (ok) bytes_lower(name.s, name.len);
  if (ok && !keeper_name_ok(name.s)) ok = -1;
  if (ok == 1) ok = paths_file(PATH_RUN, "odmr/", path) && stralloc_catm(path, before, name.s, (char *)0);
  stralloc_free(&name);
  return ok;
}

int turn_path(const char *domain, stralloc *path) {
  return place("", domain, path);
}

/* --- who fetches ----------------------------------------------------------------------------------- */

static int listen_at(const char *path) {
  struct sockaddr_un sa = {.sun_family = AF_UNIX};
  size_t n = strlen(path);
  int fd;

  errno = ENAMETOOLONG;
  if (n >= sizeof sa.sun_path) return -1;
  memcpy(sa.sun_path, path, n + 1);
  fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd != -1 && bind(fd, (struct sockaddr *)&sa, sizeof sa) == 0 && chmod(path, 0660) == 0 && listen(fd, BACKLOG) == 0) return fd;
  return fd_close(fd);
}

/* The first one gets the socket, the others lead there. */
static int take_place(struct turn *t, size_t i, const stralloc *path) {
  const char *first = i ? strrchr(t->paths.item[0].s, '/') + 1 : 0;

  if (unlink(path->s) == -1 && errno != ENOENT) return -1;
  if (first && symlink(first, path->s) == -1) return -1;
  if (!first) t->listener = listen_at(path->s);
  if (t->listener == -1) return -1;
  errno = ENOMEM;
  return strlist_add(&t->paths, path->s, path->len) ? 0 : -1;
}

static int take_domain(struct turn *t, size_t i, const char *domain, struct strerr *e) {
  stralloc lock = STRALLOC_INIT, path = STRALLOC_INIT;
  int r = -1;

  errno = ENOMEM;
  if (place(".", domain, &lock) == 1 && turn_path(domain, &path) == 1) t->lock[i] = lock_file_nb(lock.s);
  if (t->lock[i] != -1) r = take_place(t, i, &path);
  if (r == -1) strerr_sys(e, "unable to take ", stralloc_cstr(&path), (char *)0);
  stralloc_free(&lock);
  stralloc_free(&path);
  return r;
}

int turn_open(struct turn *t, const struct strlist *domains, struct strerr *e) {
  stralloc dir = STRALLOC_INIT;

  memset(t, 0, sizeof *t);
  t->listener = -1;
  for (size_t i = 0; i < TURN_DOMAINS; ++i) t->lock[i] = -1;
  if (paths_file(PATH_RUN, "odmr", &dir)) (void)!file_mkdir(dir.s, 0750);
  stralloc_free(&dir);
  for (size_t i = 0; i < domains->len && i < TURN_DOMAINS; ++i) {
    if (take_domain(t, i, domains->item[i].s, e) == 0) continue;
    turn_close(t);
    return -1;
  }
  return 0;
}

void turn_close(struct turn *t) {
  for (size_t i = 0; i < t->paths.len; ++i) unlink(t->paths.item[i].s);
  strlist_free(&t->paths);
  t->listener = fd_close(t->listener);
  for (size_t i = 0; i < TURN_DOMAINS; ++i) t->lock[i] = fd_close(t->lock[i]);
}

/* Until it comes back: is it in order? */
static int lend(const struct session *s, int sock) {
  char back = TURN_SPOILT;

  if (fdpass_send(sock, s->c.ip, strlen(s->c.ip), &s->io_in.fd, 1) == -1) return 1; /* whoever asked is gone */
  if (wait_fd(sock, POLLIN, deadline_in(MESSAGE_SECONDS)) == -1) return 0;
  return recv(sock, &back, 1, MSG_DONTWAIT) == 1 && back == TURN_IN_ORDER;
}

uint64_t turn_lend(struct turn *t, struct session *s, uint64_t messages, int *lost) {
  uint64_t n = 0;

  *lost = 0;
  while (!*lost && !(s->stop && s->stop->asked) &&
         wait_fd(t->listener, POLLIN, deadline_in(n < messages ? IDLE_SECONDS : LAST_SECONDS)) == 0) {
    int sock = accept4(t->listener, 0, 0, SOCK_CLOEXEC);

    if (sock == -1) continue; /* it has changed its mind */
    if (lend(s, sock)) ++n;
    else *lost = 1;
    fd_close(sock);
  }
  return n;
}

/* --- who sends ------------------------------------------------------------------------------------- */

static int receive(int sock, deadline when, int *fd, char address[IP_TEXT]) {
  int got[FDPASS_MAX];
  size_t fds = 0;
  ssize_t n = wait_fd(sock, POLLIN, when) == 0 ? fdpass_recv(sock, address, IP_TEXT - 1, got, &fds) : -1;

  if (n > 0 && fds == 1) {
    address[n] = 0;
    *fd = got[0];
    return 0;
  }
  while (fds) fd_close(got[--fds]);
  return -1;
}

int turn_borrow(const char *domain, deadline when, int *fd, char address[IP_TEXT], struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int at = turn_path(domain, &path);
  int sock = at == 1 ? connect_unix(path.s, SOCK_SEQPACKET) : -1;
  int nobody = at == -1 || (sock == -1 && (errno == ENOENT || errno == ECONNREFUSED));

  stralloc_free(&path);
  if (sock != -1 && receive(sock, when, fd, address) == 0) return sock;
  strerr_sys(e, "unable to get its connection", (char *)0);
  if (nobody || sock != -1) e->sys = 0; /* it has gone, before it was our turn */
  return fd_close(sock);
}

void turn_give_back(int sock, char order) {
  (void)!send(sock, &order, 1, MSG_NOSIGNAL);
  fd_close(sock);
}
