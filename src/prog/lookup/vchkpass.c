/* vchkpass: checks the password of a virtual user, by the checkpassword interface:
 * descriptor 3 gives user, password, response and perhaps a method byte, each ended by
 * a NUL.  inlookup is asked; the database is not opened. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/env.h"
#include "base/fd.h"
#include "base/options.h"
#include "base/spawn.h"
#include "base/strerr.h"
#include "conf/conf.h"
#include "user/lookup.h"
#include "user/userdb.h"

#define FATAL "vchkpass: fatal: "
#define USAGE "vchkpass [program [argument ...]]"

#define INPUT 512
#define METHOD_LOGIN 1
#define METHOD_PLAIN 2
#define VERIFY_SECONDS 20

enum { REFUSED = 1, MISUSE = 2, NO_RELAY = 3, TEMPORARY = 111 };

static char input[INPUT + 1];
static size_t input_len;

static int finish(int code) {
  explicit_bzero(input, sizeof input);
  return code;
}

/* Everything descriptor 3 has: at most 512 bytes, three fields, none cut. */
static int read_input(const char **user, const char **password, const char **response) {
  ssize_t r;

  while ((r = read(3, input + input_len, sizeof input - input_len)) != 0) {
    if (r == -1 && errno == EINTR) continue;
    if (r == -1) return MISUSE;
    input_len += (size_t)r;
    if (input_len > INPUT) return MISUSE;
  }
  close(3);
  {
    const char *end = input + input_len;

    *user = input;
    *password = *user + bytes_chr(*user, (size_t)(end - *user), 0) + 1;
    if (*password > end) return MISUSE;
    *response = *password + bytes_chr(*password, (size_t)(end - *password), 0) + 1;
    if (*response > end) return MISUSE;
    if (bytes_chr(*response, (size_t)(end - *response), 0) == (size_t)(end - *response) && *response != end) return MISUSE;
  }
  return 0;
}

/* Is it a password, rather than a challenge with its response? */
static int is_plain(const char *response) {
  const char *end = input + input_len;
  const char *method = response + 1;

  if (response == end) return 1;
  if (*response) return 0;
  return method >= end || *method == METHOD_LOGIN || *method == METHOD_PLAIN;
}

/* "true" ends a chain of classic checkpassword, where it means success: it must not
 * make a success of our failure. */
static int is_true(const char *program) {
  const char *slash = strrchr(program, '/');

  return !strcmp(slash ? slash + 1 : program, "true");
}

/* The next program of the chain gets the same bytes; without one the password is
 * refused. */
static int next(char **argv) {
  struct spawn s = {.path = argv[0], .argv = argv};
  struct strerr e;
  int p[2];

  if (!argv[0] || is_true(argv[0])) return REFUSED;
  if (fd_pipe(p) == -1 || fd_write_all(p[1], input, input_len) == -1) return TEMPORARY;
  close(p[1]);
  explicit_bzero(input, sizeof input);
  spawn_move(&s, p[0], 3);
  if (spawn_exec(&s, &e) == -1) strerr_die(TEMPORARY, FATAL, &e);
  return TEMPORARY;
}

/* Dovecot's way: run the program for a user that is let in. */
static int run(char **argv, const struct lookup_account *a) {
  struct spawn s = {.path = argv[0], .argv = argv};
  struct env env = {0};
  stralloc extra = STRALLOC_INIT, address = STRALLOC_INIT;
  const char *was = env_get("EXTRA");
  struct strerr e;

  if (!argv[0]) return 0;
  if (!stralloc_catm(&address, a->user.s, "@", a->domain.s, (char *)0) ||
      !stralloc_catm(&extra, "userdb_uid userdb_gid", was && *was ? " " : "", was ? was : "", (char *)0) ||
      !env_import(&env) || !env_set(&env, "USER", address.s) || !env_set(&env, "HOME", a->home.s) ||
      !env_setu64(&env, "userdb_uid", a->uid) || !env_setu64(&env, "userdb_gid", a->gid) ||
      !env_set(&env, "EXTRA", extra.s) || !(s.envp = env_vector(&env)))
    strerr_die_nomem(FATAL);
  if (spawn_exec(&s, &e) == -1) strerr_die(TEMPORARY, FATAL, &e);
  return TEMPORARY;
}

int main(int argc, char **argv) {
  const struct option options[] = {{0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 0, -1);
  const char *user, *password, *response, *ip = env_get("TCPREMOTEIP");
  struct lookup lookup = LOOKUP_INIT;
  struct lookup_account a = {.inactive = 0};
  struct conf conf;
  struct strerr e;
  enum lookup_verdict v;

  if (conf_load(&conf, CONF_LOGIN, &e) == -1) strerr_die(TEMPORARY, FATAL, &e);
  if (read_input(&user, &password, &response)) return finish(MISUSE);
  if (!is_plain(response) || !*user || !*password) return finish(next(argv + i));
  v = lookup_verify(&lookup, user, password, conf_line(&conf, SET_authservice), ip ? ip : "",
                    deadline_in(VERIFY_SECONDS), &a, &e);
  lookup_close(&lookup);
  if (v == LOOKUP_NONE) return finish(next(argv + i));
  finish(0);
  if (v == LOOKUP_TEMPFAIL) strerr_die(TEMPORARY, "vchkpass: ", &e);
  if (conf_flag(&conf, SET_native_checkpassword)) return run(argv + i, &a);
  return a.flags & USER_NO_RELAY ? NO_RELAY : 0;
}
