/* checker: see checker.h. */
#include "user/checker.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/env.h"
#include "base/fd.h"
#include "base/program.h"

#define POSTAUTH_SECONDS 60
#define METHOD_LOGIN 1
#define METHOD_PLAIN 2
#define ANSWER_MAX 255

/* The field that begins at s: where the next one does, or null when no NUL ends it. */
static const char *after(const struct checker *c, const char *s) {
  const char *end = c->text + c->len;
  size_t n = bytes_chr(s, (size_t)(end - s), 0);

  return n == (size_t)(end - s) ? 0 : s + n + 1;
}

int checker_parse(struct checker *c) {
  c->fresh = "";
  c->user = c->text;
  c->password = after(c, c->user);
  c->response = c->password ? after(c, c->password) : 0;
  if (!c->response) return CHECKER_MISUSE;
  return c->response == c->text + c->len || after(c, c->response) ? 0 : CHECKER_MISUSE;
}

int checker_parse_change(struct checker *c) {
  const char *field[5] = {c->text, 0};
  size_t n = 0;

  while (n < 4 && field[n] < c->text + c->len && (field[n + 1] = after(c, field[n]))) ++n;
  if (n < 3 || field[n] != c->text + c->len) return CHECKER_MISUSE;
  c->user = field[0];
  c->password = field[1];
  c->response = n == 4 ? field[2] : c->text + c->len;
  c->fresh = field[n - 1];
  return 0;
}

/* Nothing is cut: what is longer is refused. */
int checker_read(struct checker *c, int (*parse)(struct checker *)) {
  ssize_t r;

  c->len = 0;
  while ((r = read(CHECKER_FD, c->text + c->len, sizeof c->text - c->len)) != 0) {
    if (r == -1 && errno == EINTR) continue;
    if (r == -1) return CHECKER_MISUSE;
    c->len += (size_t)r;
    if (c->len > CHECKER_INPUT) return CHECKER_MISUSE;
  }
  close(CHECKER_FD);
  c->text[c->len] = 0;
  return parse(c);
}

int checker_is_plain(const struct checker *c) {
  const char *end = c->text + c->len;
  const char *method = c->response + 1;

  if (c->response == end) return 1;
  if (*c->response) return 0;
  return method >= end || *method == METHOD_LOGIN || *method == METHOD_PLAIN;
}

void checker_wipe(struct checker *c) {
  explicit_bzero(c->text, sizeof c->text);
}

static int temporary(const char *name, const struct strerr *e) {
  strerr_warnm(name, ": ", e->text, (char *)0);
  return CHECKER_TEMPORARY;
}

/* "true" ends a chain of classic checkpassword, where it means success: it must not make a
 * success of our failure. */
static int is_true(const char *program) {
  const char *slash = strrchr(program, '/');

  return !strcmp(slash ? slash + 1 : program, "true");
}

/* text in a pipe, which holds all of it: its reading end, or -1. */
static int in_pipe(const char *text, size_t n) {
  int p[2];

  if (fd_pipe(p) == -1) return -1;
  if (fd_write_all(p[1], text, n) == -1) p[0] = fd_close(p[0]);
  fd_close(p[1]);
  return p[0];
}

int checker_next(const char *name, struct checker *c, char **argv) {
  struct spawn s = {.path = argv[0], .argv = argv};
  struct strerr e;
  int fd;

  if (!argv[0] || is_true(argv[0])) {
    checker_wipe(c);
    return CHECKER_REFUSED;
  }
  fd = in_pipe(c->text, c->len);
  if (fd == -1) strerr_sys(&e, "unable to pass on credentials", (char *)0);
  checker_wipe(c);
  if (fd == -1) return temporary(name, &e);
  spawn_move(&s, fd, CHECKER_FD);
  (void)!spawn_exec(&s, &e);
  return temporary(name, &e);
}

/* Dovecot's way: run the program for a user that is let in. */
static int let_in(const char *name, const struct checker_account *a, char **argv) {
  struct spawn s = {.path = argv[0], .argv = argv};
  struct env env = {0};
  stralloc extra = STRALLOC_INIT;
  const char *was = env_get("EXTRA");
  struct strerr e;

  if (!argv[0]) return 0;
  if (stralloc_catm(&extra, "userdb_uid userdb_gid", was && *was ? " " : "", was ? was : "", (char *)0) && env_import(&env) &&
      env_set(&env, "USER", stralloc_cstr(&a->user)) && env_set(&env, "HOME", stralloc_cstr(&a->home)) &&
      env_setu64(&env, "userdb_uid", a->uid) && env_setu64(&env, "userdb_gid", a->gid) && env_set(&env, "EXTRA", extra.s))
    s.envp = env_vector(&env);
  if (s.envp) (void)!spawn_exec(&s, &e);
  else strerr_set(&e, "out of memory", (char *)0);
  return temporary(name, &e);
}

/* With the user's address as argument, /dev/null as 0 and 1: its exit code, or that of "not now". */
static int run_postauth(const struct checker_program *p, const struct checker_account *a) {
  char *argv[] = {(char *)(uintptr_t)p->postauth, (char *)(uintptr_t)stralloc_cstr(&a->user), 0};
  struct spawn s = {.path = p->postauth, .argv = argv};
  struct strerr e;
  int code;

  spawn_move(&s, SPAWN_NULL, 0);
  spawn_move(&s, SPAWN_NULL, 1);
  code = program_ask(&s, -1, 0, 0, deadline_in(POSTAUTH_SECONDS), &e);
  return code == -1 ? temporary(p->name, &e) : code;
}

/* Who may not relay may not afterwards either. */
static int welcome(const struct checker_program *p, const struct checker_account *a) {
  int code = p->postauth && *p->postauth ? run_postauth(p, a) : 0;

  return code == 0 && a->no_relay ? CHECKER_NO_RELAY : code;
}

int checker_main(const struct checker_program *p, char **argv) {
  struct checker c;
  struct checker_account a = {.no_relay = 0};
  struct strerr e = {.sys = 0};
  enum checker_verdict v = CHECK_WRONG;
  int code = checker_read(&c, checker_parse);

  if (code) {
    checker_wipe(&c);
    return code;
  }
  if (checker_is_plain(&c) && *c.user && *c.password) v = p->judge(p->ctx, &c, &a, &e);
  if (v == CHECK_WRONG) return checker_next(p->name, &c, argv);
  checker_wipe(&c);
  if (v == CHECK_TEMPFAIL) code = temporary(p->name, &e);
  else if (v == CHECK_BARRED) code = CHECKER_REFUSED;
  else if (p->native) code = let_in(p->name, &a, argv);
  else code = welcome(p, &a);
  checker_account_free(&a);
  return code;
}

void checker_account_free(struct checker_account *a) {
  stralloc_free(&a->user);
  stralloc_free(&a->home);
}

static int failed(struct strerr *e, const char *program) {
  return strerr_sys(e, "unable to ask ", program, (char *)0);
}

int checker_run(const struct checker_question *q, struct strerr *e) {
  struct spawn s = {.path = q->argv[0], .argv = q->argv, .envp = q->envp};
  int input = in_pipe(stralloc_cstr(q->text), q->text->len), code;

  if (input == -1) return failed(e, q->argv[0]);
  spawn_move(&s, SPAWN_NULL, 0);
  if (!q->answer || q->answer_fd != 1) spawn_move(&s, SPAWN_NULL, 1);
  spawn_move(&s, input, CHECKER_FD);
  code = program_ask(&s, q->answer_fd, q->answer, ANSWER_MAX, q->when, e);
  fd_close(input);
  return code;
}

static int too_long(struct strerr *e) {
  strerr_set(e, "user and password are too long", (char *)0);
  e->permanent = 1;
  return -1;
}

int checker_ask(struct checker_question *q, const char *const *field, size_t n, struct strerr *e) {
  stralloc text = STRALLOC_INIT;
  int ok = 1, code;

  for (size_t i = 0; ok && i < n; ++i) ok = stralloc_catz(&text, field[i], strlen(field[i]));
  q->text = &text;
  q->answer_fd = 1;
  if (!ok) errno = ENOMEM;
  code = !ok ? failed(e, q->argv[0]) : text.len > CHECKER_INPUT ? too_long(e) : checker_run(q, e);
  stralloc_wipe(&text);
  stralloc_free(&text);
  return code;
}
