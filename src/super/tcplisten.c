/* tcplisten: see tcplisten.h. */
#include "super/tcplisten.h"

#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/scan.h"
#include "net/ip.h"

int tcplisten_is_unix(const struct tcplisten *l) {
  return strchr(l->host, '/') != 0;
}

static int every_address(const struct tcplisten *l) {
  return !*l->host || !strcmp(l->host, "0");
}

static void set_options(const struct tcplisten *l, int fd, int family) {
  int on = 1, off = 0;

  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6 && every_address(l) && l->family != AF_INET6)
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  else if (family == AF_INET6)
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (!l->keep_source_route && family == AF_INET) setsockopt(fd, IPPROTO_IP, IP_OPTIONS, 0, 0);
}

/* A socket bound and listening, or -1 with errno. */
static int try_address(const struct tcplisten *l, const struct sockaddr *sa, socklen_t len) {
  int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  if (fd == -1) return -1;
  set_options(l, fd, sa->sa_family);
  if (bind(fd, sa, len) == 0 && listen(fd, l->backlog) == 0) return fd;
  return fd_close(fd);
}

static int bound_port(int fd, uint16_t *port) {
  struct sockaddr_storage ss;
  socklen_t len = sizeof ss;
  struct ip ip;

  if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1) return -1;
  return ip_from_sockaddr((struct sockaddr *)&ss, &ip, port) ? 0 : -1;
}

static int open_unix(const struct tcplisten *l, struct strerr *e) {
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  int fd;

  if (strlen(l->host) >= sizeof un.sun_path)
    return strerr_set(e, "path of the socket too long: ", l->host, (char *)0);
  stpcpy(un.sun_path, l->host);
  fd = try_address(l, (struct sockaddr *)&un, sizeof un);
  return fd == -1 ? strerr_sys(e, "unable to listen on ", l->host, (char *)0) : fd;
}

static int find_port(const struct tcplisten *l, uint16_t *port, struct strerr *e) {
  struct servent *s;

  if (scan_port(l->port, strlen(l->port), port)) return 0;
  s = getservbyname(l->port, "tcp");
  if (!s) return strerr_set(e, "unknown port ", l->port, (char *)0);
  *port = ntohs((uint16_t)s->s_port);
  return 0;
}

/* [::] takes IPv4 too; where there is no IPv6, 0.0.0.0 it is. */
static int open_any(const struct tcplisten *l, uint16_t port) {
  struct ip ip = {.family = AF_INET6};
  struct sockaddr_storage sa;
  int fd = -1;

  if (l->family != AF_INET) fd = try_address(l, (struct sockaddr *)&sa, ip_to_sockaddr(&ip, port, &sa));
  if (fd != -1 || l->family == AF_INET6) return fd;
  if (l->family == 0 && errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL) return -1;
  ip.family = AF_INET;
  return try_address(l, (struct sockaddr *)&sa, ip_to_sockaddr(&ip, port, &sa));
}

static int open_name(const struct tcplisten *l, uint16_t port, struct strerr *e) {
  struct addrinfo hints = {.ai_family = l->family, .ai_socktype = SOCK_STREAM};
  struct addrinfo *list;
  int r = getaddrinfo(l->host, 0, &hints, &list);
  int fd = -1;

  if (r) return strerr_set(e, "unable to find ", l->host, ": ", gai_strerror(r), (char *)0);
  for (struct addrinfo *a = list; a && fd == -1; a = a->ai_next) {
    struct sockaddr_storage sa;

    if (a->ai_addrlen > sizeof sa) continue;
    memcpy(&sa, a->ai_addr, a->ai_addrlen);
    if (a->ai_family == AF_INET) ((struct sockaddr_in *)&sa)->sin_port = htons(port);
    if (a->ai_family == AF_INET6) {
      ((struct sockaddr_in6 *)&sa)->sin6_port = htons(port);
      if (l->interface) ((struct sockaddr_in6 *)&sa)->sin6_scope_id = if_nametoindex(l->interface);
    }
    fd = try_address(l, (struct sockaddr *)&sa, a->ai_addrlen);
  }
  freeaddrinfo(list);
  return fd == -1 ? strerr_sys(e, "unable to listen on ", l->host, " port ", l->port, (char *)0) : fd;
}

int tcplisten_open(const struct tcplisten *l, uint16_t *port, struct strerr *e) {
  int fd;

  *port = 0;
  if (tcplisten_is_unix(l)) return open_unix(l, e);
  if (find_port(l, port, e) == -1) return -1;
  if (every_address(l)) {
    fd = open_any(l, *port);
    if (fd == -1) return strerr_sys(e, "unable to listen on port ", l->port, (char *)0);
  } else {
    fd = open_name(l, *port, e);
    if (fd == -1) return -1;
  }
  if (bound_port(fd, port) == 0) return fd;
  fd_close(fd);
  return strerr_sys(e, "unable to find out the port", (char *)0);
}
