/* greylist: see greylist.h. */
#include "smtp/greylist.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/scan.h"
#include "base/wait.h"

int greylist_server(const char *s, struct ip *ip, uint16_t *port) {
  size_t n = strcspn(s, "@");
  uint32_t p = GREYLIST_PORT;

  if (s[n] && (!scan_u32(s + n + 1, strlen(s + n + 1), &p) || !p || p > 65535)) return 0;
  *port = (uint16_t)p;
  return ip_scan(s, n, ip);
}

int greylist_question(stralloc *out, const char *ip, const char *sender, const char *recipient) {
  static const char letters[] = "IFT";
  const char *const texts[] = {ip, sender, recipient};

  stralloc_cut(out, 0);
  for (size_t i = 0; i < 3; ++i)
    if (!stralloc_append(out, letters[i]) || !stralloc_catz(out, texts[i], strlen(texts[i]))) return 0;
  return stralloc_append(out, 0) && out->len <= GREYLIST_QUESTION_MAX;
}

enum greylist_verdict greylist_answer(const char *s, size_t n) {
  if (n != 2 || (unsigned char)s[0] > 1) return GREYLIST_FAILED;
  return s[0] ? GREYLIST_PASS : GREYLIST_WAIT;
}

static enum greylist_verdict failed(struct strerr *e) {
  strerr_sys(e, "unable to ask the greylisting daemon", (char *)0);
  return GREYLIST_FAILED;
}

/* Only the daemon's own datagrams reach a connected socket. */
static int call(const struct ip *ip, uint16_t port) {
  struct sockaddr_storage sa;
  socklen_t n = ip_to_sockaddr(ip, port, &sa);
  int fd = socket(ip->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  return fd != -1 && connect(fd, (struct sockaddr *)&sa, n) == -1 ? fd_close(fd) : fd;
}

enum greylist_verdict greylist_ask(const struct ip *ip, uint16_t port, const stralloc *question, deadline when, struct strerr *e) {
  enum greylist_verdict v = GREYLIST_FAILED;
  char answer[8];
  ssize_t n = -1;
  int fd = call(ip, port);

  if (fd == -1) return failed(e);
  if (send(fd, question->s, question->len, MSG_NOSIGNAL) == (ssize_t)question->len && wait_fd(fd, POLLIN, when) == 0)
    n = recv(fd, answer, sizeof answer, 0);
  if (n >= 0) {
    v = greylist_answer(answer, (size_t)n);
    errno = EPROTO;
  }
  if (v == GREYLIST_FAILED) failed(e);
  wait_forget(fd);
  fd_close(fd);
  return v;
}
