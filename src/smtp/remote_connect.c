/* remote_connect: see remote_run.h. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/connect.h"
#include "net/tls_client.h"
#include "queue/tcpto.h"
#include "smtp/remote_run.h"

static int try_tls(struct remote_run *r) {
  struct smtp_client *c = &r->k->c;
  struct tls_request request = {TLS_CLIENT, r->t->name.s, r->asked.requiretls};
  struct tls_info info = {0};
  uint64_t timeout = conf_number(r->conf, SET_timeoutremote);
  int code = smtp_client_command(c, "STARTTLS", "", &r->e);
  int fd;

  if (code == -1 || code >= 300) return code == -1 ? -1 : 0;
  fd = tls_start(c->fd, &request, deadline_in((int64_t)timeout), &info, &r->e);
  r->k->verified = fd != -1 && info.verified;
  tls_info_free(&info);
  c->fd = -1;
  if (fd == -1) return -1;
  smtp_client_close(c);
  smtp_client_init(c, fd, timeout); /* what the server said before the handshake is forgotten */
  return smtp_client_hello(c, conf_line(r->conf, SET_helohost), &r->e) == -1 ? -1 : 0;
}

static int wants_tls(const struct remote_run *r, int allowed) {
  return allowed && r->k->c.capabilities & SMTP_STARTTLS &&
         !conf_has_domain(conf_lines(r->conf, SET_notlshosts), r->t->name.s, r->t->name.len) && tls_available();
}

static enum remote_outcome get_greeted(struct remote_run *r, int tls_allowed) {
  struct smtp_client *c = &r->k->c;
  int code = smtp_client_reply(c, &r->e);

  if (code == -1) return NEXT_SERVER;
  if (code >= 500) return remote_give_up(r, 'D', " connected, but greeting failed.");
  if (code >= 400) {
    strerr_set(&r->e, "greeting failed: ", stralloc_cstr(&c->reply), (char *)0);
    return NEXT_SERVER;
  }
  code = smtp_client_hello(c, conf_line(r->conf, SET_helohost), &r->e);
  if (code == -1) return NEXT_SERVER;
  if (code >= 300) return remote_give_up(r, code >= 500 ? 'D' : 'Z', " connected, but my name was rejected.");
  if (wants_tls(r, tls_allowed)) return try_tls(r) == -1 ? NO_TLS : READY;
  if (!r->asked.requiretls || !(c->capabilities & SMTP_STARTTLS)) return READY;
  strerr_set(&r->e, "TLS is wanted and not available here", (char *)0);
  return NEXT_SERVER;
}

static int our_address(const struct conf *conf, struct ip *from) {
  const char *s = conf_line(conf, SET_outgoingip);

  return *s && ip_scan(s, strlen(s), from);
}

/* Is this the server's fault, and nothing of ours? */
static int unreachable(int error) {
  return error == ETIMEDOUT || error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH || error == EHOSTDOWN;
}

static int open_connection(struct remote_run *r, uint64_t tolerance, enum tcpto_verdict past) {
  static const int on = 1;
  struct ip from;
  const struct ip *source = our_address(r->conf, &from) ? &from : 0;
  int fd = connect_tcp(&r->t->ip, r->t->port, source, deadline_in((int64_t)conf_number(r->conf, SET_timeoutconnect)));

  if (fd == -1) {
    strerr_sys(&r->e, "unable to connect", (char *)0);
    if (unreachable(r->e.sys)) tcpto_file_note(&r->t->ip, 1, wall_now(), tolerance);
    return -1;
  }
  if (past != TCPTO_UNKNOWN) tcpto_file_note(&r->t->ip, 0, wall_now(), tolerance);
  (void)!setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

/* Not all processes come back to a dead server at once. */
static uint64_t spread(uint64_t penalty) {
  return penalty + penalty / 50 * ((uint64_t)getpid() & 31);
}

enum remote_outcome remote_connect(struct remote_run *r, const struct target_list *l, int tls_allowed) {
  uint64_t penalty = l->penalty == TARGET_UNSET ? conf_number(r->conf, SET_min_penalty) : l->penalty;
  uint64_t tolerance = l->tolerance == TARGET_UNSET ? conf_number(r->conf, SET_max_tolerance) : l->tolerance;
  enum tcpto_verdict past = tcpto_file_look(&r->t->ip, wall_now(), spread(penalty));
  int fd;

  if (past == TCPTO_LEAVE_ALONE) {
    strerr_set(&r->e, "could not be reached before and is left alone for a while", (char *)0);
    return NEXT_SERVER;
  }
  fd = open_connection(r, tolerance, past);
  if (fd == -1) return NEXT_SERVER;
  smtp_client_init(&r->k->c, fd, conf_number(r->conf, SET_timeoutremote));
  return get_greeted(r, tls_allowed);
}
