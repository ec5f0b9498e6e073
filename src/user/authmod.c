/* authmod: see authmod.h. */
#include "user/authmod.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/scan.h"
#include "base/spawn.h"

#define SERVER_WORDS 2 /* the mail server and its Maildir stand at the end */
#define ARGUMENTS_MAX 64
#define FAILURE "AUTHFAILURE\n"

int authmod_parse(struct authmod *m) {
  char *p = m->text, *end = m->text + m->len;

  m->fields = 0;
  for (size_t i = 0; i < AUTHMOD_FIELDS; ++i) m->field[i] = "";
  memcpy(m->text, m->raw, m->len);
  *end = 0;
  if (strlen(m->text) != m->len) return AUTHMOD_MISUSE;
  while (p < end && m->fields < AUTHMOD_FIELDS) {
    char *lf = strchr(p, '\n');

    m->field[m->fields++] = p;
    if (!lf) break;
    *lf = 0;
    p = lf + 1;
  }
  return m->fields < 3 ? AUTHMOD_MISUSE : 0;
}

int authmod_read(struct authmod *m) {
  ssize_t r;

  m->len = 0;
  while ((r = read(3, m->raw + m->len, sizeof m->raw - m->len)) != 0) {
    if (r == -1 && errno == EINTR) continue;
    if (r == -1) return AUTHMOD_MISUSE;
    m->len += (size_t)r;
    if (m->len > AUTHMOD_INPUT) return AUTHMOD_MISUSE;
  }
  close(3);
  return authmod_parse(m);
}

int authmod_has_password(const struct authmod *m) {
  return (!strcmp(m->field[1], "login") || !strcmp(m->field[1], "plain")) && *m->field[2] && *m->field[3];
}

void authmod_wipe(struct authmod *m) {
  explicit_bzero(m->raw, sizeof m->raw);
  explicit_bzero(m->text, sizeof m->text);
}

/* The command line of the login program, as it left it: how many words, 0 when that is no such thing. */
static size_t login_arguments(char **argv) {
  const char *count = env_get("AUTHARGC");
  uint64_t n = 0;

  if (!count || !scan_u64_max(count, strlen(count), ARGUMENTS_MAX, &n)) return 0;
  for (uint64_t i = 0; i < n; ++i) {
    char name[] = "AUTHARGV\0\0";

    name[8] = (char)(i < 10 ? '0' + i : '0' + i / 10);
    if (i >= 10) name[9] = (char)('0' + i % 10);
    if (!(argv[i] = (char *)env_get(name))) return 0;
  }
  argv[n] = 0;
  return (size_t)n;
}

static int login_again(struct strerr *e) {
  char *argv[ARGUMENTS_MAX + 1];
  struct spawn s = {.path = env_get("AUTHUSER"), .argv = argv};

  (void)!write(2, FAILURE, sizeof FAILURE - 1);
  if (!s.path || *s.path != '/' || !login_arguments(argv))
    return strerr_set(e, "AUTHUSER and AUTHARGC do not say who started me", (char *)0);
  return spawn_exec(&s, e);
}

int authmod_next(struct authmod *m, char **argv, int argc, struct strerr *e) {
  struct spawn s = {.path = argv[1], .argv = argv + 1};
  int p[2] = {-1, -1};

  if (argc <= SERVER_WORDS + 1) {
    authmod_wipe(m);
    return login_again(e);
  }
  if (fd_pipe(p) == -1 || fd_write_all(p[1], m->raw, m->len) == -1) {
    authmod_wipe(m);
    return strerr_sys(e, "unable to pass on credentials", (char *)0);
  }
  authmod_wipe(m);
  close(p[1]);
  spawn_move(&s, p[0], 3);
  return spawn_exec(&s, e);
}
