/* libnss_nssd: a module of the name service switch.  It asks nssd who user@domain is.  It runs inside
 * every program that looks up an account: names without an @ are none of its business and cost nothing. */
#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <shadow.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "conf/paths.h"
#include "user/nss_proto.h"

#define EXPORT __attribute__((visibility("default")))
#define SECONDS 6 /* more than nssd takes for an answer */

enum nss_status _nss_nssd_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t n, int *code);
enum nss_status _nss_nssd_getspnam_r(const char *name, struct spwd *sp, char *buf, size_t n, int *code);

/* Connected, and bound to end in time: a descriptor, or -1. */
static int connect_to_nssd(void) {
  struct sockaddr_un sa = {.sun_family = AF_UNIX};
  const struct timeval limit = {SECONDS, 0};
  stralloc path = STRALLOC_INIT;
  int fd = -1;

  if (paths_file(PATH_RUN, NSS_SOCKET, &path) && path.len < sizeof sa.sun_path) {
    memcpy(sa.sun_path, path.s, path.len + 1);
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  }
  stralloc_free(&path);
  if (fd == -1) return -1;
  if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == -1 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == -1 ||
      connect(fd, (struct sockaddr *)&sa, sizeof sa) == -1) {
    close(fd);
    return -1;
  }
  return fd;
}

/* The answer, in text, which it points into. */
static enum nss_found ask(const char *name, char text[NSS_ANSWER_MAX], struct nss_account *a) {
  char question[NSS_QUESTION_MAX];
  size_t n = nss_question_format(question, name);
  ssize_t r = -1;
  int fd;

  if (!n) return NSS_NONE;
  fd = connect_to_nssd();
  if (fd == -1) return NSS_UNAVAILABLE;
  if (send(fd, question, n, MSG_NOSIGNAL) == (ssize_t)n) do r = recv(fd, text, NSS_ANSWER_MAX, 0);
    while (r == -1 && errno == EINTR);
  close(fd);
  return r > 0 ? nss_answer_parse(text, (size_t)r, a) : NSS_UNAVAILABLE;
}

/* A copy in the caller's buffer, or null when it is too small. */
static char *keep(char **buf, size_t *left, const char *s) {
  size_t n = strlen(s) + 1;
  char *at = *buf;

  if (n > *left) return 0;
  memcpy(at, s, n);
  *buf += n;
  *left -= n;
  return at;
}

static enum nss_status too_small(int *code) {
  *code = ERANGE;
  return NSS_STATUS_TRYAGAIN;
}

static enum nss_status not_found(enum nss_found found, int *code) {
  *code = found == NSS_NONE ? ENOENT : EAGAIN;
  return found == NSS_NONE ? NSS_STATUS_NOTFOUND : NSS_STATUS_UNAVAIL;
}

EXPORT enum nss_status _nss_nssd_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t n, int *code) {
  char text[NSS_ANSWER_MAX];
  struct nss_account a;
  enum nss_found found = ask(name, text, &a);

  if (found != NSS_FOUND) return not_found(found, code);
  pw->pw_uid = a.uid;
  pw->pw_gid = a.gid;
  if (!(pw->pw_name = keep(&buf, &n, a.name)) || !(pw->pw_passwd = keep(&buf, &n, "x")) || !(pw->pw_gecos = keep(&buf, &n, a.comment)) ||
      !(pw->pw_dir = keep(&buf, &n, a.home)) || !(pw->pw_shell = keep(&buf, &n, a.shell)))
    return too_small(code);
  return NSS_STATUS_SUCCESS;
}

/* An entry that no password fits, whoever asks: passwords are checked by pam-multi. */
EXPORT enum nss_status _nss_nssd_getspnam_r(const char *name, struct spwd *sp, char *buf, size_t n, int *code) {
  char text[NSS_ANSWER_MAX];
  struct nss_account a;
  enum nss_found found = ask(name, text, &a);

  if (found != NSS_FOUND) return not_found(found, code);
  *sp = (struct spwd){.sp_lstchg = -1, .sp_min = -1, .sp_max = -1, .sp_warn = -1, .sp_inact = -1, .sp_expire = -1, .sp_flag = ~0UL};
  if (!(sp->sp_namp = keep(&buf, &n, a.name)) || !(sp->sp_pwdp = keep(&buf, &n, "*"))) return too_small(code);
  return NSS_STATUS_SUCCESS;
}
