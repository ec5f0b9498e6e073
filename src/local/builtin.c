/* builtin: see builtin.h. */
#include "local/builtin.h"

#include <string.h>

#include "base/strerr.h"
#include "conf/paths.h"
#include "user/vdeliver.h"

static int is_set(struct env *env, const char *name) {
  const char *value = env_lookup(env, name);

  return value && *value && strcmp(value, "0") != 0;
}

/* vdelivermail '' ACTION, see vdelivermail(8). */
static int vdelivermail(const struct builtin_call *c, int *code) {
  static const char *const lines[] = {"RPLINE", "DTLINE", "QQEH"};
  const struct strlist *w = c->words;
  stralloc head = STRALLOC_INIT;
  struct strerr e;
  struct vdeliver v = {
      .msgfd = c->message,
      .user = env_lookup(c->env, "EXT"),
      .domain = env_lookup(c->env, "HOST"),
      .sender = env_lookup(c->env, "SENDER"),
      .folder = env_lookup(c->env, "MAILDIRFOLDER"),
      .no_alias = is_set(c->env, "NOALIAS"),
      .allow_inactive = is_set(c->env, "ALLOW_INACTIVE"),
      .env = c->env,
      .lookup = c->lookup,
      .alone = c->alone,
      .done = c->done,
  };

  if (w->len != 3 || w->item[1].len || !vdeliver_action_ok(stralloc_cstr(&w->item[2]))) return 0;
  v.action = w->item[2].s;
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; ++i) {
    const char *value = env_lookup(c->env, lines[i]);

    if (value && !stralloc_cats(&head, value)) {
      stralloc_free(&head);
      return 0;
    }
  }
  vdeliver_settings(&v, c->conf);
  v.head = stralloc_cstr(&head);
  *code = (int)vdeliver(&v, &e);
  stralloc_free(&head);
  if (*code) strerr_warn("", &e);
  if (*code == DELIVER_PERM && is_set(c->env, "DISCARD_BOUNCE")) *code = 0;
  return 1;
}

static const struct {
  const char *program;
  int (*run)(const struct builtin_call *c, int *code);
} builtins[] = {
    {"vdelivermail", vdelivermail},
};

int builtin_run(const struct builtin_call *c, int *code) {
  stralloc path = STRALLOC_INIT;
  int done = 0;

  for (size_t i = 0; i < sizeof builtins / sizeof builtins[0] && !done; ++i)
    if (paths_program(builtins[i].program, &path) && stralloc_equals(&path, c->words->item[0].s))
      done = builtins[i].run(c, code);
  stralloc_free(&path);
  return done;
}
