/* store: see store.h. */
#include "user/store.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/base64.h"
#include "base/fd.h"
#include "base/iodeadline.h"
#include "base/scan.h"
#include "net/connect.h"
#include "net/dns.h"
#include "net/tls_client.h"

#define LINE_MAX 8192
#define ADDRESSES 16

static int no_memory(struct strerr *e) {
  return strerr_set(e, "out of memory", (char *)0);
}

/* --- where it is */

static int bad(struct strerr *e, const char *setting, const char *value, const char *want) {
  strerr_set(e, setting, ": ", value, ": ", want, (char *)0);
  e->permanent = 1;
  return -1;
}

/* Number of the word in the list; -1 when it is none. */
static int word_number(const char *const *words, const char *word) {
  for (int i = 0; words[i]; ++i)
    if (!strcmp(words[i], word)) return i;
  return -1;
}

/* imap:143 */
static int scan_destport(const char *s, const char *service, uint16_t *port) {
  size_t n = strlen(service);
  uint64_t u;

  if (strncasecmp(s, service, n) || s[n] != ':' || !scan_u64_max(s + n + 1, strlen(s + n + 1), 65535, &u) || !u) return 0;
  *port = (uint16_t)u;
  return 1;
}

/* NAME, ADDRESS, or both with a blank between. */
static int scan_host(struct store_place *p, const char *s) {
  size_t n = strcspn(s, " \t");
  const char *rest = s + n + strspn(s + n, " \t");

  if (!stralloc_copyb(&p->name, s, n)) return -1;
  p->has_ip = ip_scan(*rest ? rest : p->name.s, strlen(*rest ? rest : p->name.s), &p->ip);
  return !*rest || p->has_ip;
}

int store_place_find(struct store_place *p, const struct conf *conf, const char *service, uint16_t port, struct strerr *e) {
  static const char *const modes[] = {[STORE_STARTTLS] = "starttls", [STORE_TLS] = "tls", [STORE_PLAIN] = "none", 0};
  static const char *const ways[] = {[STORE_CLIENT_SAID] = "said", [STORE_CLIENT_PROXY] = "proxy", [STORE_CLIENT_UNTOLD] = "none", 0};
  const char *host = conf_line(conf, SET_mailstore), *destport = conf_line(conf, SET_destport);
  int tls = word_number(modes, conf_line(conf, SET_mailstore_tls)), client = word_number(ways, conf_line(conf, SET_mailstore_client));
  int r;

  memset(p, 0, sizeof *p);
  if (!*host) return 0;
  p->port = port;
  p->verify = conf_flag(conf, SET_mailstore_verify);
  if (*destport && !scan_destport(destport, service, &p->port)) return bad(e, "DESTPORT", destport, "want imap:PORT or pop3:PORT");
  if (tls == -1) return bad(e, "mailstore_tls", conf_line(conf, SET_mailstore_tls), "want starttls, tls or none");
  if (client == -1) return bad(e, "mailstore_client", conf_line(conf, SET_mailstore_client), "want said, proxy or none");
  p->tls = (enum store_tls)tls;
  p->client = (enum store_client)client;
  r = scan_host(p, host);
  if (r == -1) return no_memory(e);
  return r ? 1 : bad(e, "mailstore", host, "want a name, an address, or a name and its address");
}

int store_place_of(struct store_place *p, const char *host, const char *port, struct strerr *e) {
  uint64_t u;

  memset(p, 0, sizeof *p);
  p->tls = STORE_PLAIN;
  p->client = STORE_CLIENT_UNTOLD;
  if (!scan_u64_max(port, strlen(port), 65535, &u) || !u) return bad(e, "port", port, "want 1 to 65535");
  p->port = (uint16_t)u;
  return scan_host(p, host) == -1 ? no_memory(e) : 0;
}

void store_place_free(struct store_place *p) {
  stralloc_free(&p->name);
}

/* --- the connection */

struct addresses {
  struct ip ip[ADDRESSES];
  size_t n;
};

static int note_address(void *ctx, const struct ip *ip) {
  struct addresses *a = ctx;

  if (a->n < ADDRESSES) a->ip[a->n++] = *ip;
  return 1;
}

static int resolve(const struct store_place *p, deadline when, struct addresses *a, struct strerr *e) {
  struct dns dns = {.servers = 0};
  int r;

  if (p->has_ip) return note_address(a, &p->ip) - 1;
  r = dns_open(&dns, e);
  if (r == 0 && dns_addresses(&dns, p->name.s, when, note_address, a, e) != DNS_FOUND) r = -1;
  return r;
}

static int connect_any(const struct addresses *a, uint16_t port, const char *name, deadline when, struct strerr *e) {
  for (size_t i = 0; i < a->n; ++i) {
    int fd = connect_tcp(&a->ip[i], port, 0, when);

    if (fd != -1) return fd;
  }
  return strerr_sys(e, "unable to connect to ", name, (char *)0);
}

static int write_all(struct store *s, const stralloc *text, struct strerr *e) {
  struct iodeadline io = {.fd = s->fd, .when = s->when, .session = DEADLINE_NEVER};

  for (size_t sent = 0; sent < text->len;) {
    ssize_t w = iodeadline_write(&io, text->s + sent, text->len - sent);

    if (w <= 0) return strerr_sys(e, "unable to write to the mail store", (char *)0);
    sent += (size_t)w;
  }
  return 0;
}

/* For whom we speak, by the PROXY protocol (version 1), before anything else. */
static int say_proxy(struct store *s, const struct store_user *u, struct strerr *e) {
  struct sockaddr_storage at;
  socklen_t n = sizeof at;
  struct ip client, own;
  char text[IP_TEXT];
  uint16_t port = 0;

  if (!ip_scan(u->ip, strlen(u->ip), &client) || getsockname(s->fd, (struct sockaddr *)&at, &n) == -1 ||
      !ip_from_sockaddr((struct sockaddr *)&at, &own, &port) || client.family != own.family)
    return store_say(s, e, "PROXY UNKNOWN", (char *)0);
  ip_fmt(text, &own);
  return store_say(s, e, client.family == AF_INET ? "PROXY TCP4 " : "PROXY TCP6 ", u->ip, " ", text, " ", *u->port ? u->port : "0", " 0", (char *)0);
}

int store_open(struct store *s, const struct store_place *p, const struct store_user *u, deadline when, struct strerr *e) {
  struct addresses a = {.n = 0};

  s->when = when;
  if (resolve(p, when, &a, e) == -1) return -1;
  s->fd = connect_any(&a, p->port, p->name.s, when, e);
  if (s->fd == -1) return -1;
  if (p->client == STORE_CLIENT_PROXY && say_proxy(s, u, e) == -1) return -1;
  return p->tls == STORE_TLS ? store_tls(s, p, e) : 0;
}

void store_close(struct store *s) {
  s->fd = fd_close(s->fd);
  stralloc_free(&s->line);
  stralloc_free(&s->before);
}

int store_say(struct store *s, struct strerr *e, ...) {
  stralloc text = STRALLOC_INIT;
  const char *piece;
  va_list ap;
  int ok = 1, r;

  va_start(ap, e);
  while (ok && (piece = va_arg(ap, const char *))) ok = stralloc_cats(&text, piece);
  va_end(ap);
  r = ok && stralloc_cats(&text, "\r\n") ? write_all(s, &text, e) : no_memory(e);
  stralloc_wipe(&text); /* it may have held the password */
  return r;
}

int store_read(struct store *s, struct strerr *e) {
  if (!stralloc_copys(&s->line, "")) return no_memory(e);
  errno = 0;
  switch (login_line_read(s->fd, &s->line, LINE_MAX, s->when)) {
    case LOGIN_READ_OK: return 0;
    case LOGIN_READ_LONG: return strerr_set(e, "the mail store says too much in a line", (char *)0);
    case LOGIN_READ_END: break;
  }
  return errno ? strerr_sys(e, "unable to read from the mail store", (char *)0)
               : strerr_set(e, "the mail store has closed the connection", (char *)0);
}

int store_tls(struct store *s, const struct store_place *p, struct strerr *e) {
  const struct tls_request request = {TLS_CLIENT, p->name.s, p->verify};
  struct tls_info info = {.verified = 0};

  s->fd = tls_start(s->fd, &request, s->when, &info, e);
  tls_info_free(&info);
  return s->fd == -1 ? -1 : 0;
}

/* --- for the dialogues */

int store_plain(const struct store_user *u, stralloc *out, struct strerr *e) {
  stralloc m = STRALLOC_INIT;
  int ok = stralloc_catz(&m, "", 0) && stralloc_catz(&m, u->user, strlen(u->user)) && stralloc_cats(&m, u->password) &&
           base64_encode(out, m.s, m.len);

  stralloc_wipe(&m);
  stralloc_free(&m);
  return ok ? 0 : no_memory(e);
}

int store_has_word(const char *line, const char *word) {
  static const char between[] = " \t[]";
  size_t n = strlen(word);

  for (const char *s = line + strspn(line, between); *s; s += strspn(s, between)) {
    size_t len = strcspn(s, between);

    if (len == n && !strncasecmp(s, word, n)) return 1;
    s += len;
  }
  return 0;
}

enum store_verdict store_odd(const struct store *s, struct strerr *e) {
  strerr_set(e, "the mail store says: ", stralloc_cstr(&s->line), (char *)0);
  return STORE_TEMPFAIL;
}
