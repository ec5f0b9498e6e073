/* settings: see settings.h. */
#include "smtp/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What is made of a snapshot. */
struct made {
  struct lists lists;
  struct content_rules content;
  struct plugins plugins;
};

/* A snapshot that is nobody else's. */
struct own {
  struct conf conf;
  struct made made;
};

/* 0, or -1 with e filled; unmake in any case. */
static int make(struct made *m, struct list_cache *cache, const struct conf *conf, struct strerr *e) {
  if (lists_open(&m->lists, cache, conf, e) == -1 || content_rules_open(&m->content, conf, e) == -1) return -1;
  return plugins_open(&m->plugins, conf, e);
}

static void unmake(struct made *m) {
  lists_close(&m->lists);
  content_rules_close(&m->content);
  plugins_close(&m->plugins);
}

static void *no_memory(struct strerr *e) {
  errno = ENOMEM;
  strerr_sys(e, "unable to read settings", (char *)0);
  return 0;
}

static void *attach(void *ctx, const struct conf *conf, struct strerr *e) {
  struct made *m = calloc(1, sizeof *m);

  if (!m) return no_memory(e);
  if (make(m, ctx, conf, e) == 0) return m;
  unmake(m);
  free(m);
  return 0;
}

static void detach(void *made) {
  unmake(made);
  free(made);
}

void settings_source_init(struct settings_source *s, int resident, int (*valid)(const struct conf *conf, struct strerr *e)) {
  memset(s, 0, sizeof *s);
  s->resident = resident;
  s->valid = valid;
  if (!resident) return;
  conf_share_init(&s->share, CONF_SMTPD, valid);
  s->share.attach = (struct conf_attach){attach, detach, &s->lists};
}

static void free_own(struct own *o) {
  unmake(&o->made);
  conf_free(&o->conf);
  free(o);
}

static struct own *read_own(struct settings_source *s, const struct env *env, struct strerr *e) {
  struct own *o = calloc(1, sizeof *o);

  if (!o) return no_memory(e);
  /* with no variables but its own, the process's environment counts as conf.h says */
  if (conf_load_env(&o->conf, CONF_SMTPD, env->vars.len ? env : 0, e) == 0 && s->valid(&o->conf, e) == 0 && make(&o->made, &s->lists, &o->conf, e) == 0)
    return o;
  free_own(o);
  return 0;
}

static void fill(struct settings *out, const struct conf *conf, const struct made *m, void *holder) {
  *out = (struct settings){conf, &m->lists, &m->content, &m->plugins, holder};
}

int settings_get(struct settings_source *s, const struct env *env, struct settings *out, struct strerr *e) {
  memset(out, 0, sizeof *out);
  if (s->resident) {
    struct conf_shared *c = conf_share_get(&s->share, env, e);

    if (c) fill(out, conf_shared(c), conf_shared_attached(c), c);
  } else {
    struct own *o = read_own(s, env, e);

    if (o) fill(out, &o->conf, &o->made, o);
  }
  return out->holder ? 0 : -1;
}

void settings_put(struct settings_source *s, struct settings *settings) {
  if (settings->holder && s->resident) conf_share_put(&s->share, settings->holder);
  else if (settings->holder) free_own(settings->holder);
  memset(settings, 0, sizeof *settings);
}

void settings_source_free(struct settings_source *s) {
  if (s->resident) conf_share_free(&s->share);
  list_cache_free(&s->lists);
}
