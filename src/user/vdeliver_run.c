/* vdeliver_run: see vdeliver_run.h. */
#include "user/vdeliver_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/program.h"
#include "conf/paths.h"
#include "user/mailbox_rules.h"

#define REPORT_MAX 65536

/* Exit codes of program lines that mean "give up"; 0 and 99 are others' business. */
static const unsigned char permanent[] = {64, 65, 70, 76, 77, 78, 100, 112};

static enum deliver_result temporary(struct strerr *e) {
  e->permanent = 0;
  return DELIVER_TEMP;
}

static int no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to deliver", (char *)0);
}

/* Start a program with the message on its descriptor 0, and wait: its exit code, or -1
 * with e filled.  report: what it writes to descriptor 1; null leaves it ours. */
static int run(const struct vdeliver *v, char *const *argv, stralloc *report, struct strerr *e) {
  struct spawn s = {.path = argv[0], .argv = argv, .envp = v->env ? env_vector(v->env) : 0};

  if (v->env && !s.envp) return no_memory(e);
  if (lseek(v->msgfd, 0, SEEK_SET) == -1) return strerr_sys(e, "unable to read message", (char *)0);
  spawn_move(&s, v->msgfd, 0);
  return program_run(&s, report, REPORT_MAX, DEADLINE_NEVER, e);
}

enum deliver_result vdeliver_failed(const char *what, int code, struct strerr *e) {
  for (size_t i = 0; i < sizeof permanent; ++i)
    if (code == permanent[i]) {
      strerr_set(e, what, " refused the message", (char *)0);
      return DELIVER_PERM;
    }
  strerr_set(e, what, " failed for now", (char *)0);
  return temporary(e);
}

int vdeliver_program(const struct vdeliver *v, const char *command, struct strerr *e) {
  char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)command, 0};
  int code = run(v, argv, 0, e);

  if (code == -1) return temporary(e);
  if (code == 0) return DELIVER_OK;
  if (code == VDELIVER_STOP) return VDELIVER_STOP;
  return vdeliver_failed("the program of an alias", code, e);
}

enum deliver_result vdeliver_forward(const struct vdeliver *v, const struct strlist *to, int *passed_on, struct strerr *e) {
  char **argv = calloc(to->len + 4, sizeof *argv);
  const int asked = passed_on && *mailbox_variable(v->env, "DSNRCPT");
  stralloc program = STRALLOC_INIT, report = STRALLOC_INIT;
  size_t n = 0;
  int code = -1;

  if (!argv || !paths_program("forward", &program)) {
    no_memory(e);
  } else {
    argv[n++] = program.s;
    if (asked) argv[n++] = (char *)"-a";
    argv[n++] = (char *)"--";
    for (size_t i = 0; i < to->len; ++i) argv[n++] = to->item[i].s;
    code = run(v, argv, asked ? &report : 0, e);
    if (asked) *passed_on = code == 0 && report.len; /* it says so */
  }
  free(argv);
  stralloc_free(&program);
  stralloc_free(&report);
  if (code == 0) return DELIVER_OK;
  if (code == 100) strerr_set(e, "unable to forward message", (char *)0);
  if (code == 100) return DELIVER_PERM;
  if (code != -1) strerr_set(e, "unable to forward message for now", (char *)0);
  return temporary(e);
}

/* qmail-remote's report: recipient reports, then one of the message, each ended by a
 * NUL.  The worst letter decides; the texts are joined. */
static enum deliver_result judge(const stralloc *report, struct strerr *e) {
  enum deliver_result r = DELIVER_TEMP;
  stralloc text = STRALLOC_INIT;
  int refused = 0, message = 0;

  for (size_t i = 0; i < report->len; i += strlen(report->s + i) + 1) {
    char letter = report->s[i];

    if (letter == 'h' || letter == 'D') refused = 1;
    if (letter == 's' || letter == 'Z') refused = -1;
    if (letter == 'K' || letter == 'Z' || letter == 'D') message = letter;
    if (letter) (void)!stralloc_catm(&text, text.len ? " " : "", report->s + i + 1, (char *)0);
  }
  if (message == 'K' && !refused) r = DELIVER_OK;
  else if (refused == 1) r = DELIVER_PERM;
  strerr_set(e, text.len ? text.s : "qmail-remote produced no output", (char *)0);
  stralloc_free(&text);
  return r;
}

enum deliver_result vdeliver_route(const struct vdeliver *v, const char *host_port, const char *recipient,
                                   struct strerr *e) {
  const char *at = strrchr(recipient, '@');
  stralloc program = STRALLOC_INIT, report = STRALLOC_INIT;
  struct vdeliver w = *v;
  struct env env = {0};
  enum deliver_result r = DELIVER_TEMP;

  w.env = &env;
  if (!paths_program("qmail-remote", &program) || !env_import(&env) || !env_set(&env, "SMTPROUTE", host_port)) {
    no_memory(e);
  } else {
    char *argv[] = {program.s, (char *)(at ? at + 1 : recipient), (char *)v->sender, (char *)recipient, 0};
    int code = run(&w, argv, &report, e);

    if (code == 0) r = judge(&report, e);
    else if (code != -1) strerr_set(e, "qmail-remote failed for now", (char *)0);
  }
  stralloc_free(&program);
  stralloc_free(&report);
  env_free(&env);
  return r;
}

/* Those lines, as far as they are set: 1 or 0. */
static int take_head(stralloc *head) {
  static const char *const lines[] = {"RPLINE", "DTLINE", "QQEH"};

  for (size_t i = 0; i < sizeof lines / sizeof *lines; ++i) {
    const char *value = env_get(lines[i]);

    if (value && !stralloc_cats(head, value)) return 0;
  }
  return 1;
}

static int is_set(const char *name) {
  const char *value = env_get(name);

  return value && *value && strcmp(value, "0") != 0;
}

int vdeliver_environment(struct vdeliver *v, stralloc *head, struct strerr *e) {
  const struct {
    const char *name, **to;
  } needed[] = {{"EXT", &v->user}, {"HOST", &v->domain}, {"SENDER", &v->sender}};

  for (size_t i = 0; i < sizeof needed / sizeof *needed; ++i) {
    *needed[i].to = env_get(needed[i].name);
    if (*needed[i].to) continue;
    strerr_set(e, needed[i].name, " is not set: run me from a .qmail file", (char *)0);
    e->permanent = 1;
    return -1;
  }
  v->folder = env_get("MAILDIRFOLDER");
  v->no_alias = is_set("NOALIAS");
  v->allow_inactive = is_set("ALLOW_INACTIVE");
  if (!take_head(head)) return strerr_set(e, "out of memory", (char *)0);
  v->head = stralloc_cstr(head);
  v->msgfd = fd_seekable(0);
  return v->msgfd == -1 ? strerr_sys(e, "unable to keep the message in /tmp", (char *)0) : 0;
}

int vdeliver_exit(enum deliver_result r, const struct strerr *e) {
  if (r == DELIVER_OK) return 0;
  strerr_warn("", e);
  return r == DELIVER_PERM && is_set("DISCARD_BOUNCE") ? 0 : (int)r;
}
