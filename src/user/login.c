/* login: see login.h. */
#include "user/login.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/iodeadline.h"
#include "base/scan.h"
#include "net/ip.h"
#include "user/login_peer.h"
#include "user/login_run.h"
#include "user/mail_server.h"

#define COMMAND_SECONDS 60
#define REPLIES_MAX 32768
#define VERIFY_SECONDS 20 /* a password hash may have to wait its turn */
#define TLS_SECONDS 30
#define MODULE_ARGUMENTS 3 /* program, server, Maildir: more are modules */
#define CREDENTIALS_MAX 400 /* so that the modules' message stays below 512 */

static int is_socket(int fd) {
  int type;
  socklen_t n = sizeof type;

  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0;
}

/* Answers go out at once, the mail server's too, which writes them in small pieces: none waits until the
 * client's system has acknowledged the one before, which it may put off. */
static void send_at_once(int fd) {
  const int on = 1;

  (void)!setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* not for what is no TCP */
}

/* Started again after a chain of modules refused the password. */
static int is_resumed(void) {
  return env_get("AUTHARGC") != 0;
}

static int resume(struct login *l, stralloc *tag) {
  const char *text = env_get("BADLOGINS");
  uint64_t u;

  if (!is_resumed()) return 0;
  l->proxied = 1; /* said before, if there was something to say */
  if (text && scan_u64_max(text, strlen(text), 1000, &u)) l->tries = (unsigned)u;
  text = env_get("AUTHEXPIRE");
  if (text && scan_u64_max(text, strlen(text), INT64_MAX, &u)) {
    int64_t left = (int64_t)u - wall_now();

    l->session = deadline_min(l->session, left > 0 ? deadline_in(left) : 0);
  }
  text = env_get("IMAP_TLS");
  l->tls = text && !strcmp(text, "1");
  text = env_get("IMAPLOGINTAG");
  return stralloc_copys(tag, text ? text : "-") ? 1 : -1;
}

deadline login_deadline(const struct login *l) {
  return deadline_min(l->session, deadline_in(COMMAND_SECONDS));
}

int login_say(struct login *l, const char *s, size_t n) {
  return l->replies.len < REPLIES_MAX && stralloc_catb(&l->replies, s, n) ? 0 : -1;
}

int login_says(struct login *l, const char *s) {
  return login_say(l, s, strlen(s));
}

int login_flush(struct login *l) {
  struct iodeadline io = {.fd = l->out, .when = login_deadline(l), .session = DEADLINE_NEVER};
  size_t sent = 0;

  while (sent < l->replies.len) {
    ssize_t w = iodeadline_write(&io, l->replies.s + sent, l->replies.len - sent);

    if (w <= 0) return -1;
    sent += (size_t)w;
  }
  stralloc_cut(&l->replies, 0);
  return 0;
}

enum login_read login_read_line(struct login *l) {
  if (l->line.len) explicit_bzero(l->line.s, l->line.len);
  stralloc_cut(&l->line, 0);
  if (login_flush(l) == -1) return LOGIN_READ_END;
  return login_line_read(l->in, &l->line, LOGIN_LINE_MAX, login_deadline(l));
}

enum login_read login_read_bytes(struct login *l, stralloc *out, size_t n) {
  if (login_flush(l) == -1) return LOGIN_READ_END;
  return login_line_bytes(l->in, out, n, login_deadline(l));
}

int login_may_tls(const struct login *l) {
  return !l->tls && conf_flag(l->conf, SET_starttls) && is_socket(l->in);
}

int login_may_plaintext(const struct login *l) {
  return l->tls || (l->loopback && conf_flag(l->conf, SET_allow_plaintext));
}

/* The plaintext socket takes the place of the connection on both descriptors. */
int login_tls(struct login *l, struct strerr *e) {
  const struct tls_request request = {.role = TLS_SERVER};
  int fd = fcntl(l->in, F_DUPFD_CLOEXEC, 10);

  if (fd == -1 || login_flush(l) == -1) {
    fd_close(fd);
    return strerr_sys(e, "unable to start TLS", (char *)0);
  }
  fd = tls_start(fd, &request, deadline_min(l->session, deadline_in(TLS_SECONDS)), &l->tls_info, e);
  if (fd == -1) return -1;
  if (dup2(fd, l->in) == -1 || dup2(fd, l->out) == -1) {
    fd_close(fd);
    return strerr_sys(e, "unable to start TLS", (char *)0);
  }
  fd_close(fd);
  l->tls = 1;
  return 0;
}

/* --- a login */

void login_log(const struct login *l, enum log_event event, const struct log_arg *arg, size_t n) {
  stralloc prefix = STRALLOC_INIT;

  (void)!stralloc_catm(&prefix, l->name, ": ", (char *)0);
  log_write(2, stralloc_cstr(&prefix), event, arg, n);
  stralloc_free(&prefix);
}

static void log_login(const struct login *l, enum log_event event, const char *typed) {
  const struct log_arg arg[] = {log_s(typed), log_s(l->remote.s), log_s(l->tls ? "yes" : "no")};

  login_log(l, event, arg, sizeof arg / sizeof *arg);
}

void login_trouble(const struct login *l, const struct strerr *e) {
  const struct log_arg arg[] = {log_s(e->text)};

  login_log(l, LOG_warning, arg, 1);
}

static void forget(struct login *l) {
  stralloc_wipe(&l->user);
  stralloc_wipe(&l->password);
}

enum login_verdict login_resumed(struct login *l) {
  if (l->tries >= conf_number(l->conf, SET_maxlogintries)) return LOGIN_TOO_MANY;
  (void)poll(0, 0, deadline_poll_ms(deadline_min(l->session, deadline_in((int64_t)conf_number(l->conf, SET_penalty))),
                                    mono_now()));
  return LOGIN_WRONG;
}

static enum login_verdict wrong(struct login *l) {
  ++l->tries;
  return login_resumed(l);
}

static enum login_verdict refused(struct login *l, const char *typed, const char *why) {
  const struct log_arg arg[] = {log_s(typed), log_s(l->remote.s), log_s(why)};

  login_log(l, LOG_login_refused, arg, sizeof arg / sizeof *arg);
  return LOGIN_REFUSED;
}

enum login_verdict login_reject(struct login *l, const char *typed, const char *why) {
  if (*why) return stralloc_copys(&l->why, why) ? refused(l, typed, why) : LOGIN_GONE;
  log_login(l, LOG_login_failed, typed);
  return wrong(l);
}

enum login_verdict login_accept(struct login *l, const struct lookup_account *a, const char *typed, const char *tag) {
  struct strerr e;

  lookup_close(&l->lookup);
  tls_info_free(&l->tls_info);
  login_welcome(l, typed);
  if (login_run_server(l, a, typed, tag, &e) == 1) return refused(l, typed, stralloc_cstr(&l->why));
  login_trouble(l, &e);
  return LOGIN_TEMPFAIL;
}

void login_welcome(const struct login *l, const char *typed) {
  log_login(l, LOG_login, typed);
}

/* Control characters never belong to a name, and would garble log and messages. */
static int is_sane(const stralloc *s) {
  for (size_t i = 0; i < s->len; ++i)
    if ((unsigned char)s->s[i] < 32 || s->s[i] == 127) return 0;
  return s->len > 0;
}

static enum login_verdict verify(struct login *l, const char *tag) {
  struct lookup_account a = {.inactive = 0};
  enum login_verdict verdict = LOGIN_TEMPFAIL;
  struct strerr e;

  switch (lookup_verify(&l->lookup, l->user.s, l->password.s, l->protocol->service, l->remote.s,
                        deadline_in(VERIFY_SECONDS), &a, &e)) {
    case LOOKUP_FOUND:
      stralloc_wipe(&l->password);
      verdict = login_accept(l, &a, l->user.s, tag);
      break;
    case LOOKUP_NONE: verdict = login_reject(l, l->user.s, e.text); break;
    case LOOKUP_TEMPFAIL: login_trouble(l, &e); break;
  }
  lookup_account_free(&a);
  return verdict;
}

static enum login_verdict try_modules(struct login *l, const char *tag) {
  struct strerr e;

  login_run_modules(l, tag, &e);
  login_trouble(l, &e);
  return LOGIN_TEMPFAIL;
}

/* Who judges, unless somebody else is put in place. */
static void choose_judge(struct login *l) {
  l->judge = l->argc > MODULE_ARGUMENTS ? try_modules : verify;
}

int login_asks_lookup(const struct login *l) {
  return l->judge == verify;
}

enum login_verdict login_try(struct login *l, const char *tag) {
  enum login_verdict v;

  (void)!login_flush(l); /* a client that is gone is noticed at the next read */
  if (!is_sane(&l->user) || !is_sane(&l->password) || l->user.len + l->password.len > CREDENTIALS_MAX) v = wrong(l);
  else v = l->judge(l, tag);
  forget(l);
  return v;
}

int login_start(struct login *l, const char *name, const struct login_protocol *p, const struct conf *conf, int argc, char **argv,
                stralloc *tag, struct strerr *e) {
  const char *remote = env_get("TCPREMOTEIP");
  struct ip ip;

  memset(l, 0, sizeof *l);
  l->name = name;
  l->protocol = p;
  l->conf = conf;
  l->argc = argc;
  l->argv = argv;
  l->out = 1;
  l->lookup = (struct lookup)LOOKUP_INIT;
  l->lookup.here = env_get("TCPLOCALIP");
  l->server = mail_server_find(conf);
  if (!l->server) return strerr_set(e, "mailserver: neither courier nor dovecot: ", conf_line(conf, SET_mailserver), (char *)0);
  choose_judge(l);
  l->session = deadline_in((int64_t)conf_number(conf, SET_timeoutlogin));
  if (!remote || !ip_scan(remote, strlen(remote), &ip))
    return strerr_set(e, "TCPREMOTEIP is not an address: run me under tcpserver", (char *)0);
  l->loopback = ip_is_loopback(&ip);
  if (!stralloc_copys(&l->remote, remote) || resume(l, tag) == -1) {
    errno = ENOMEM;
    return strerr_sys(e, "unable to start", (char *)0);
  }
  if (is_resumed()) return 0;
  send_at_once(l->out);
  if (login_peer_start(l, e) == -1) return -1;
  return conf_flag(conf, p->implicit) ? login_tls(l, e) : 0;
}

void login_free(struct login *l) {
  (void)!login_flush(l);
  stralloc_wipe(&l->line);
  stralloc_free(&l->replies);
  stralloc_free(&l->remote);
  stralloc_free(&l->remote_port);
  stralloc_free(&l->local);
  stralloc_free(&l->local_port);
  forget(l);
  stralloc_free(&l->why);
  tls_info_free(&l->tls_info);
  lookup_close(&l->lookup);
}
