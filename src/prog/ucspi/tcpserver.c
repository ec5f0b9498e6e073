/* tcpserver: accepts connections and runs a program for each; the work is in
 * super/tcpserver.h. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/fmt.h"
#include "base/lock.h"
#include "base/options.h"
#include "base/scan.h"
#include "conf/paths.h"
#include "super/account.h"
#include "super/residents.h"
#include "super/tcplisten.h"
#include "super/tcpserver.h"

#define FATAL "tcpserver: fatal: "
#define USAGE                                                                                        \
  "tcpserver [-146UXpPhHrRoOdDqQvV] [-c limit|file] [-C limit] [-A limit] [-x rules.cdb] [-B banner] [-g group,...] " \
  "[-u user] [-b backlog] [-l name] [-t seconds] [-I interface] [-e pidfile] [-W servers] host port program ... | "     \
  "/socket program ..."

struct arguments {
  struct tcpserver_options server;
  struct tcplisten listen;
  const char *limit, *user, *groups, *pidfile;
  int from_env, print_port, remote_host, paranoid, info, verbosity;
  uint64_t backlog, info_timeout;
};

static void parse_limit(struct arguments *a) {
  struct strerr e;

  if (!a->limit || scan_u64_max(a->limit, strlen(a->limit), 1000000, &a->server.limit)) return;
  a->server.limit_file = a->limit;
  if (tcpserver_read_limit(a->limit, &a->server.limit, &e) == -1) strerr_die(111, FATAL, &e);
}

/* Whom to become: resolved before anything else, for it may take time. */
static int find_user(struct arguments *a, struct account *who) {
  struct strerr e;

  if (a->from_env) {
    a->user = env_get("UID");
    a->groups = env_get("GID");
    if (!a->user || !a->groups) strerr_diem(111, FATAL, "-U wants $UID and $GID", (char *)0);
  }
  if (!a->user && !a->groups) return 0;
  who->uid = getuid();
  who->gid = getgid();
  if (a->user && account_find(a->user, who, &e) != 1) strerr_die(111, FATAL, &e);
  if (account_own_groups(who, &e) == -1) strerr_die(111, FATAL, &e);
  if (a->groups && account_add_groups(who, a->groups, 1, &e) == -1) strerr_die(111, FATAL, &e);
  return 1;
}

static void take_pidfile(const struct arguments *a) {
  char text[FMT_U64 + 1];
  size_t n = fmt_u64(text, (uint64_t)getpid());
  int fd;

  if (!a->pidfile) return;
  fd = lock_file_nb(a->pidfile);
  if (fd == -1) strerr_diem_sys(111, FATAL, "unable to lock ", a->pidfile, (char *)0);
  text[n++] = '\n';
  if (ftruncate(fd, 0) == -1 || fd_write_all(fd, text, n) == -1)
    strerr_diem_sys(111, FATAL, "unable to write ", a->pidfile, (char *)0);
  /* With the lock held no other server can own the socket. */
  if (tcplisten_is_unix(&a->listen)) unlink(a->listen.host);
}

static void print_port(uint16_t port) {
  char text[FMT_U64 + 1];
  size_t n = fmt_u64(text, port);

  text[n++] = '\n';
  if (fd_write_all(1, text, n) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
}

/* The command of tcpserver-lookup in front of the program. */
static char *const *lookup_command(const struct arguments *a, char *const *program) {
  static const char *argv[4096];
  static char seconds[FMT_U64 + 1];
  static stralloc path;
  size_t n = 0;

  if (!paths_program("tcpserver-lookup", &path)) strerr_die_nomem(FATAL);
  argv[n++] = path.s;
  argv[n++] = a->remote_host ? "-h" : "-H";
  argv[n++] = a->paranoid ? "-p" : "-P";
  argv[n++] = a->info ? "-r" : "-R";
  argv[n++] = "-t";
  argv[n++] = fmt_u64_z(seconds, a->info_timeout);
  argv[n++] = a->verbosity >= TCPSERVER_VERBOSE ? "-v" : a->verbosity == TCPSERVER_QUIET ? "-q" : "-Q";
  if (a->server.local_host) {
    argv[n++] = "-l";
    argv[n++] = a->server.local_host;
  }
  if (a->server.rules) {
    if (a->server.rules_optional) argv[n++] = "-X";
    argv[n++] = "-x";
    argv[n++] = a->server.rules;
  }
  if (a->server.banner) {
    argv[n++] = "-B";
    argv[n++] = a->server.banner;
  }
  argv[n++] = "--";
  for (; *program; ++program) {
    if (n + 1 >= sizeof argv / sizeof argv[0]) strerr_diem(100, FATAL, "too many arguments", (char *)0);
    argv[n++] = *program;
  }
  argv[n] = 0;
  return (char *const *)argv;
}

/* While we are still who started us, for all servers are to share the file.  A limit that cannot be kept keeps
 * nobody out. */
static void take_part_in_count(struct arguments *a, struct client_count *count) {
  stralloc path = STRALLOC_INIT;
  struct strerr e;

  if (!a->server.per_ip_everywhere) return;
  if (!paths_file(PATH_RUN, "connections", &path)) strerr_die_nomem(FATAL);
  if (client_count_open(count, path.s, &e) == 0) a->server.everywhere = count;
  else strerr_warn("tcpserver: warning: -A is without effect: ", &e);
  stralloc_free(&path);
}

static int parse(int argc, char **argv, struct arguments *a) {
  const struct option table[] = {
      {'c', OPTION_STRING, &a->limit, 0},
      {'C', OPTION_U64, &a->server.per_ip, 0},
      {'A', OPTION_U64, &a->server.per_ip_everywhere, 0},
      {'x', OPTION_STRING, &a->server.rules, 0},
      {'X', OPTION_FLAG, &a->server.rules_optional, 1},
      {'B', OPTION_STRING, &a->server.banner, 0},
      {'u', OPTION_STRING, &a->user, 0},
      {'g', OPTION_STRING, &a->groups, 0},
      {'U', OPTION_FLAG, &a->from_env, 1},
      {'1', OPTION_FLAG, &a->print_port, 1},
      {'4', OPTION_FLAG, &a->listen.family, AF_INET},
      {'6', OPTION_FLAG, &a->listen.family, AF_INET6},
      {'I', OPTION_STRING, &a->listen.interface, 0},
      {'b', OPTION_U64, &a->backlog, 65535},
      {'o', OPTION_FLAG, &a->listen.keep_source_route, 1},
      {'O', OPTION_FLAG, &a->listen.keep_source_route, 0},
      {'d', OPTION_FLAG, &a->server.nodelay, 0},
      {'D', OPTION_FLAG, &a->server.nodelay, 1},
      {'h', OPTION_FLAG, &a->remote_host, 1},
      {'H', OPTION_FLAG, &a->remote_host, 0},
      {'p', OPTION_FLAG, &a->paranoid, 1},
      {'P', OPTION_FLAG, &a->paranoid, 0},
      {'r', OPTION_FLAG, &a->info, 1},
      {'R', OPTION_FLAG, &a->info, 0},
      {'l', OPTION_STRING, &a->server.local_host, 0},
      {'t', OPTION_U64, &a->info_timeout, 86400},
      {'e', OPTION_STRING, &a->pidfile, 0},
      {'W', OPTION_U64, &a->server.residents, RESIDENTS_MAX},
      {'q', OPTION_FLAG, &a->verbosity, TCPSERVER_QUIET},
      {'Q', OPTION_FLAG, &a->verbosity, TCPSERVER_ERRORS},
      {'v', OPTION_FLAG, &a->verbosity, TCPSERVER_VERBOSE},
      {'V', OPTION_FLAG, &a->verbosity, TCPSERVER_TABLE},
      {0, OPTION_FLAG, 0, 0},
  };

  int i = options_or_die(argc, argv, table, USAGE, 2, -1);

  a->listen.host = argv[i++];
  if (!tcplisten_is_unix(&a->listen)) a->listen.port = argv[i++];
  if (i >= argc) strerr_die_usage(USAGE);
  return i;
}

int main(int argc, char **argv) {
  struct arguments a = {
      .server = {.limit = 40, .per_ip = 20},
      .remote_host = 1,
      .info = 1,
      .verbosity = TCPSERVER_ERRORS,
      .backlog = 20,
      .info_timeout = 26,
  };
  struct account who = {0};
  struct client_count everywhere = {0};
  struct strerr e;
  uint16_t port;
  int i = parse(argc, argv, &a);
  int become = find_user(&a, &who);

  parse_limit(&a);
  take_pidfile(&a);
  a.listen.backlog = (int)a.backlog;
  a.server.listener = tcplisten_open(&a.listen, &port, &e);
  if (a.server.listener == -1) strerr_die(111, FATAL, &e);
  take_part_in_count(&a, &everywhere);
  if (become && account_become(&who) == -1)
    strerr_diem_sys(111, FATAL, "unable to become ", a.user ? a.user : a.groups, (char *)0);
  account_free(&who);
  if (a.print_port) print_port(port);
  a.server.program = argv + i;
  a.server.verbosity = (enum tcpserver_verbosity)a.verbosity;
  /* A Unix socket's client has no name to look up. */
  if (a.listen.port && (a.remote_host || a.paranoid || a.info || !a.server.local_host))
    a.server.lookup = lookup_command(&a, argv + i);
  if (a.server.residents && a.server.lookup)
    strerr_diem(100, FATAL, "-W wants -H, -R, no -p, and -l: a resident server asks nobody who the client is", (char *)0);
  if (tcpserver_run(&a.server, &e) == -1) strerr_die(111, FATAL, &e);
  client_count_close(&everywhere);
  return 0;
}
