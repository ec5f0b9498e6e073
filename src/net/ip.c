/* ip: see ip.h. */
#include "net/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static void unmap(struct ip *ip) {
  static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};

  if (ip->family != AF_INET6 || memcmp(ip->b, mapped, sizeof mapped)) return;
  ip->family = AF_INET;
  memmove(ip->b, ip->b + 12, 4);
  memset(ip->b + 4, 0, 12);
}

int ip_scan(const char *s, size_t n, struct ip *ip) {
  char text[IP_TEXT];
  struct ip out;

  if (n >= sizeof text || memchr(s, 0, n)) return 0;
  memcpy(text, s, n);
  text[n] = 0;
  memset(&out, 0, sizeof out);
  out.family = strchr(text, ':') ? AF_INET6 : AF_INET;
  if (inet_pton(out.family, text, out.b) != 1) return 0;
  unmap(&out);
  *ip = out;
  return 1;
}

size_t ip_fmt(char s[IP_TEXT], const struct ip *ip) {
  if (!ip->family || !inet_ntop(ip->family, ip->b, s, IP_TEXT)) s[0] = 0;
  return strlen(s);
}

int ip_equal(const struct ip *a, const struct ip *b) {
  return a->family == b->family && !memcmp(a->b, b->b, a->family == AF_INET ? 4 : 16);
}

int ip_is_any(const struct ip *ip) {
  static const unsigned char zero[16];

  return !memcmp(ip->b, zero, ip->family == AF_INET ? 4 : 16);
}

int ip_is_loopback(const struct ip *ip) {
  static const unsigned char one[16] = {[15] = 1};

  return ip->family == AF_INET ? ip->b[0] == 127 : !memcmp(ip->b, one, 16);
}

socklen_t ip_to_sockaddr(const struct ip *ip, uint16_t port, struct sockaddr_storage *sa) {
  memset(sa, 0, sizeof *sa);
  if (ip->family == AF_INET) {
    struct sockaddr_in *in = (struct sockaddr_in *)sa;

    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    memcpy(&in->sin_addr, ip->b, 4);
    return sizeof *in;
  } else {
    struct sockaddr_in6 *in = (struct sockaddr_in6 *)sa;

    in->sin6_family = AF_INET6;
    in->sin6_port = htons(port);
    memcpy(&in->sin6_addr, ip->b, 16);
    return sizeof *in;
  }
}

int ip_from_sockaddr(const struct sockaddr *sa, struct ip *ip, uint16_t *port) {
  memset(ip, 0, sizeof *ip);
  if (sa->sa_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)sa;

    ip->family = AF_INET;
    memcpy(ip->b, &in->sin_addr, 4);
    if (port) *port = ntohs(in->sin_port);
    return 1;
  }
  if (sa->sa_family == AF_INET6) {
    const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)sa;

    ip->family = AF_INET6;
    memcpy(ip->b, &in->sin6_addr, 16);
    if (port) *port = ntohs(in->sin6_port);
    unmap(ip);
    return 1;
  }
  return 0;
}
