/* sslerator: TLS in front of a server that knows none, by qmail-tlsd, which has the key: from the first byte,
 * or after a dialogue in which the client asks for it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/options.h"
#include "base/sigfd.h"
#include "base/spawn.h"
#include "net/tls_client.h"
#include "user/login_line.h"
#include "user/starttls.h"

#define NAME "sslerator"
#define FATAL NAME ": fatal: "
#define TLSD (void *)(uintptr_t)"certificate, key, ciphers and versions are those of qmail-tlsd, for all servers: see qmail-tlsd(8)"
#define OTHERS (void *)(uintptr_t)"descriptors 0 and 1 are the client, -T says how long TLS may take to begin, and what the program is told stands in sslerator(1)"
#define USAGE NAME " [-b banner] [-S smtp|pop3|imap] [-h host] [-T seconds] program [argument ...]"
#define PROVIDER "qmail-tlsd"
#define GREETING_LINES 64

static const char *or_else(const char *s, const char *otherwise) {
  return s && *s ? s : otherwise;
}

/* The plaintext socket takes the place of the connection on both descriptors. */
static void start_tls(deadline when, struct tls_info *info) {
  const struct tls_request request = {.role = TLS_SERVER};
  struct strerr e;
  int fd = fcntl(0, F_DUPFD_CLOEXEC, 10);

  if (fd == -1) strerr_diem_sys(111, FATAL, "descriptor 0 is no connection", (char *)0);
  fd = tls_start(fd, &request, when, info, &e);
  if (fd == -1) strerr_die(111, FATAL, &e);
  if (dup2(fd, 0) == -1 || dup2(fd, 1) == -1) strerr_diem_sys(111, FATAL, "unable to start TLS", (char *)0);
  close(fd);
}

/* What the program may want to know.  SSLERATOR: the client has been greeted. */
static void fill(struct env *env, const struct tls_info *info, int greeted) {
  if (!env_import(env) || !env_set(env, "TLS_PROVIDER", PROVIDER) || !env_set(env, "TLS_VERSION", stralloc_cstr(&info->version)) ||
      !env_set(env, "TLS_CIPHER", stralloc_cstr(&info->cipher)) || !env_set(env, "TLS_SNI", stralloc_cstr(&info->name)))
    strerr_die_nomem(FATAL);
  if (greeted ? !env_set(env, "SSLERATOR", "1") : !env_unset(env, "SSLERATOR")) strerr_die_nomem(FATAL);
}

static void skip_greeting(const struct starttls_protocol *p, int from, deadline when) {
  stralloc line = STRALLOC_INIT;

  for (int i = 0; i < GREETING_LINES; ++i) {
    stralloc_cut(&line, 0);
    if (login_line_read(from, &line, LOGIN_LINE_MAX, when) == LOGIN_READ_END) break;
    if (starttls_greeting_ends(p, stralloc_cstr(&line))) break;
  }
  stralloc_free(&line);
}

/* Everything the program says; 0, or -1: the client is gone. */
static int copy(int from) {
  char buf[8192];
  ssize_t n;

  while ((n = read(from, buf, sizeof buf)) != 0) {
    if (n == -1 && errno == EINTR) continue;
    if (n == -1 || fd_write_all(1, buf, (size_t)n) == -1) return -1;
  }
  return 0;
}

/* The program greets a client that has been greeted: what it says passes through us, but for that. */
static int run_behind(const struct starttls_protocol *p, struct spawn *s, deadline when) {
  struct strerr e;
  pid_t pid;
  int pipe[2];

  if (fd_pipe(pipe) == -1) strerr_diem_sys(111, FATAL, "unable to make a pipe", (char *)0);
  spawn_move(s, 0, 0);
  spawn_move(s, pipe[1], 1);
  pid = spawn_start(s, &e);
  if (pid == -1) strerr_die(111, FATAL, &e);
  close(pipe[1]);
  skip_greeting(p, pipe[0], when);
  (void)!copy(pipe[0]);
  close(pipe[0]); /* a program that goes on for a client that is gone sees it */
  shutdown(1, SHUT_WR);
  return spawn_code(spawn_wait(pid));
}

int main(int argc, char **argv) {
  const char *banner = env_get("BANNER"), *protocol = 0, *host = or_else(env_get("TCPLOCALHOST"), "localhost");
  uint64_t seconds = 60;
  const struct option options[] = {
      {'b', OPTION_STRING, &banner, 0}, {'S', OPTION_STRING, &protocol, 0}, {'h', OPTION_STRING, &host, 0}, {'T', OPTION_U64, &seconds, 3600},
      {'d', OPTION_REFUSED, TLSD, 0}, {'n', OPTION_REFUSED, TLSD, 0}, {'C', OPTION_REFUSED, TLSD, 0}, {'c', OPTION_REFUSED, TLSD, 0}, {'M', OPTION_REFUSED, TLSD, 0}, {'N', OPTION_REFUSED, TLSD, 0},
      {'t', OPTION_REFUSED, OTHERS, 0}, {'e', OPTION_REFUSED, OTHERS, 0}, {'s', OPTION_REFUSED, OTHERS, 0}, {'f', OPTION_REFUSED, OTHERS, 0},
      {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 1, -1);
  const struct starttls_protocol *p = protocol ? starttls_find(protocol) : 0;
  struct spawn s = {.path = argv[i], .argv = argv + i};
  struct tls_info info = {.verified = 0};
  struct env env = {0};
  struct strerr e;
  deadline when;

  if ((protocol && !p) || !seconds) strerr_die_usage(USAGE);
  sig_ignore_pipe();
  when = deadline_in((int64_t)seconds);
  if (p && !starttls_dialogue(p, 0, 1, host, when)) return 0;
  if (!p && banner && *banner && (fd_write_all(1, banner, strlen(banner)) == -1 || fd_write_all(1, "\r\n", 2) == -1)) return 111;
  start_tls(when, &info);
  fill(&env, &info, !p && banner && *banner);
  if (!(s.envp = env_vector(&env))) strerr_die_nomem(FATAL);
  if (p) return run_behind(p, &s, when);
  if (spawn_exec(&s, &e) == -1) strerr_die(111, FATAL, &e);
  return 111;
}
