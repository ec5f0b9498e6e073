/* tcpserver-lookup: finds out the names of a connection's ends, asks the rules, and
 * becomes the program that serves it.  tcpserver runs it when it is to look
 * anything up, so that its own loop never waits. */
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/env.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/options.h"
#include "base/scan.h"
#include "net/dns.h"
#include "super/chain.h"
#include "super/ident.h"
#include "super/tcpaccess.h"

#define PREFIX "tcpserver: "
#define FATAL "tcpserver-lookup: fatal: "
#define DNS_S 30

struct lookup {
  int remote_host, paranoid, info, verbosity, rules_optional;
  const char *local_host, *rules, *banner;
  uint64_t info_timeout;
  struct ip local, remote;
  uint16_t local_port, remote_port;
  struct dns dns;
  int dns_open;
};

enum { QUIET, ERRORS, VERBOSE };

static void set(struct env *env, const char *name, const char *value) {
  if (!env_set(env, name, value)) strerr_die_nomem(FATAL);
}

/* A name from the DNS goes into rules, logs and programs: only what a host name can
 * hold. */
static int is_host_name(const stralloc *s) {
  if (!s->len || s->len > 253) return 0;
  for (size_t i = 0; i < s->len; ++i) {
    char c = s->s[i];

    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '.' && c != '_') return 0;
  }
  return 1;
}

static int has_address(struct lookup *l, const char *name, deadline when) {
  struct dns_answer answer = {0};
  struct strerr e;
  int found = 0;

  if (dns_query(&l->dns, l->remote.family == AF_INET ? DNS_A : DNS_AAAA, name, when, &answer, &e) == DNS_FOUND)
    for (size_t i = 0; i < answer.len; ++i) found |= ip_equal(&answer.record[i].ip, &l->remote);
  dns_answer_free(&answer);
  return found;
}

/* The name of an address into name: 1, or 0 when there is none.  With check it must
 * have that address; *cheat is set when there are names and none has. */
static int find_name(struct lookup *l, const struct ip *ip, int check, int *cheat, stralloc *name) {
  deadline when = deadline_in(DNS_S);
  struct dns_answer answer = {0};
  struct strerr e;
  int found = 0;

  if (!l->dns_open && dns_open(&l->dns, &e) == -1) {
    if (l->verbosity >= ERRORS) strerr_warn("tcpserver-lookup: warning: ", &e);
    return 0;
  }
  l->dns_open = 1;
  if (dns_reverse(&l->dns, ip, when, &answer, &e) == DNS_FOUND)
    for (size_t i = 0; i < answer.len && !found; ++i) {
      const stralloc *s = &answer.record[i].data;

      if (!is_host_name(s)) continue;
      found = !check || has_address(l, s->s, when);
      *cheat = !found;
      if (found && !stralloc_copy(name, s)) strerr_die_nomem(FATAL);
    }
  dns_answer_free(&answer);
  return found;
}

static void find_all(struct lookup *l, struct env *env) {
  stralloc text = STRALLOC_INIT;
  int cheat = 0;

  if (l->local_host) {
    if (*l->local_host) set(env, "TCPLOCALHOST", l->local_host);
  } else if (find_name(l, &l->local, 0, &cheat, &text)) {
    set(env, "TCPLOCALHOST", text.s);
  }
  cheat = 0;
  if (l->remote_host && find_name(l, &l->remote, l->paranoid, &cheat, &text)) set(env, "TCPREMOTEHOST", text.s);
  if (cheat) set(env, "TCPPARANOID", "");
  if (l->info && ident_ask(&l->remote, l->remote_port, &l->local, l->local_port,
                           deadline_in((int64_t)l->info_timeout), &text) == 1)
    set(env, "TCPREMOTEINFO", text.s);
  if (l->dns_open) dns_close(&l->dns);
  stralloc_free(&text);
}

static void log_verdict(const struct lookup *l, const struct env *env, enum log_event event) {
  stralloc local = STRALLOC_INIT, remote = STRALLOC_INIT;
  struct log_arg arg[3];

  if (l->verbosity < VERBOSE) return;
  if (!tcpaccess_local(&local, env_lookup(env, "TCPLOCALHOST"), env_lookup(env, "TCPLOCALIP"),
                       env_lookup(env, "TCPLOCALPORT")) ||
      !tcpaccess_remote(&remote, env_lookup(env, "TCPREMOTEHOST"), env_lookup(env, "TCPREMOTEIP"),
                        env_lookup(env, "TCPREMOTEINFO"), env_lookup(env, "TCPREMOTEPORT")))
    strerr_die_nomem(FATAL);
  arg[0] = log_u((uint64_t)getpid());
  arg[1] = log_s(local.s);
  arg[2] = log_s(remote.s);
  log_write(2, PREFIX, event, arg, 3);
  stralloc_free(&local);
  stralloc_free(&remote);
}

static void ask_rules(const struct lookup *l, struct env *env) {
  const struct tcprules_client who = {env_lookup(env, "TCPREMOTEIP"), env_lookup(env, "TCPREMOTEHOST"),
                                      env_lookup(env, "TCPREMOTEINFO")};
  struct tcpaccess a = {0};
  struct strerr e;
  const char *var;
  int r = 1;

  if (l->rules) r = tcpaccess_check(&a, l->rules, l->rules_optional, &who, &e);
  if (r == -1) strerr_die(111, FATAL, &e);
  log_verdict(l, env, r ? LOG_tcp_ok : LOG_tcp_deny);
  if (r == 0) _exit(100);
  while ((var = tcpaccess_next(&a)) != 0) {
    stralloc name = STRALLOC_INIT;
    size_t equal = bytes_chr(var, strlen(var), '=');

    if (!stralloc_copyb(&name, var, equal)) strerr_die_nomem(FATAL);
    set(env, name.s, var + equal + 1);
    stralloc_free(&name);
  }
  tcpaccess_close(&a);
}

static void read_connection(struct lookup *l) {
  const char *ip[2] = {env_get("TCPLOCALIP"), env_get("TCPREMOTEIP")};
  const char *port[2] = {env_get("TCPLOCALPORT"), env_get("TCPREMOTEPORT")};

  if (!ip[0] || !ip[1] || !port[0] || !port[1] || !ip_scan(ip[0], strlen(ip[0]), &l->local) ||
      !ip_scan(ip[1], strlen(ip[1]), &l->remote) || !scan_port(port[0], strlen(port[0]), &l->local_port) ||
      !scan_port(port[1], strlen(port[1]), &l->remote_port))
    strerr_diem(100, FATAL, "TCPLOCALIP, TCPLOCALPORT, TCPREMOTEIP or TCPREMOTEPORT make no sense", (char *)0);
}

int main(int argc, char **argv) {
  struct lookup l = {.remote_host = 1, .info = 1, .verbosity = ERRORS, .info_timeout = 26};
  const struct option table[] = {
      {'h', OPTION_FLAG, &l.remote_host, 1}, {'H', OPTION_FLAG, &l.remote_host, 0},
      {'p', OPTION_FLAG, &l.paranoid, 1},    {'P', OPTION_FLAG, &l.paranoid, 0},
      {'r', OPTION_FLAG, &l.info, 1},        {'R', OPTION_FLAG, &l.info, 0},
      {'t', OPTION_U64, &l.info_timeout, 86400}, {'l', OPTION_STRING, &l.local_host, 0},
      {'x', OPTION_STRING, &l.rules, 0},     {'X', OPTION_FLAG, &l.rules_optional, 1},
      {'B', OPTION_STRING, &l.banner, 0},    {'q', OPTION_FLAG, &l.verbosity, QUIET},
      {'Q', OPTION_FLAG, &l.verbosity, ERRORS}, {'v', OPTION_FLAG, &l.verbosity, VERBOSE},
      {0, OPTION_FLAG, 0, 0},
  };
  struct env env = {0};
  struct strerr e;
  int i = options_or_die(argc, argv, table,
                         "tcpserver-lookup [-hHpPrRqQvX] [-t seconds] [-l name] [-x rules.cdb] [-B banner] "
                         "program [arg ...]",
                         1, -1);

  read_connection(&l);
  if (!env_import(&env)) strerr_die_nomem(FATAL);
  find_all(&l, &env);
  ask_rules(&l, &env);
  if (l.banner && fd_write_all(1, l.banner, strlen(l.banner)) == -1) _exit(111);
  chain_exec(argv + i, &env, &e);
  strerr_die(111, FATAL, &e);
}
