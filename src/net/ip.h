/* ip: IPv4 and IPv6 addresses as values, and their text (RFC 4291 2.2, RFC 5952). */
#ifndef NET_IP_H
#define NET_IP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define IP_TEXT 46 /* bytes that hold any address and a NUL */

struct ip {
  int family; /* AF_INET or AF_INET6; 0: none */
  unsigned char b[16];
};

/* Whole text of an address: 1 or 0.  An IPv4-mapped IPv6 address becomes IPv4. */
int ip_scan(const char *s, size_t n, struct ip *ip);
/* Text with NUL; its length. */
size_t ip_fmt(char s[IP_TEXT], const struct ip *ip);
int ip_equal(const struct ip *a, const struct ip *b);
/* Unspecified (0.0.0.0, ::). */
int ip_is_any(const struct ip *ip);
int ip_is_loopback(const struct ip *ip);
/* To and from the system's form. */
socklen_t ip_to_sockaddr(const struct ip *ip, uint16_t port, struct sockaddr_storage *sa);
int ip_from_sockaddr(const struct sockaddr *sa, struct ip *ip, uint16_t *port);

#endif
