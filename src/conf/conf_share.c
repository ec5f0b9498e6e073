/* conf_share: see conf_share.h.
 *
 * Whether a control file changed is asked of inotify at each connection, which costs one
 * system call.  What inotify does not see (files elsewhere, changes made by another host)
 * shows in the time stamps of the files, which are looked at once a second. */
#include "conf/conf_share.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "conf/paths.h"

#define LOOK_SECONDS 1
#define SNAPSHOTS_MAX 64 /* rules with overrides of their own; the oldest ones make room */

struct conf_shared {
  struct conf conf;
  struct env env;     /* of the connection it was made for */
  stralloc overrides; /* what of that counts */
  uint64_t stamp;     /* of its control files */
  size_t holders;
  int listed; /* for new connections */
  void *attached;
  void (*drop)(void *);
  struct conf_shared *next;
};

static void release(struct conf_shared *c) {
  if (c->attached) c->drop(c->attached);
  conf_free(&c->conf);
  env_free(&c->env);
  stralloc_free(&c->overrides);
  free(c);
}

/* Takes it off the list of those that new connections get. */
static void unlist(struct conf_share *s, struct conf_shared *c) {
  struct conf_shared **p = &s->current;

  while (*p != c) p = &(*p)->next;
  *p = c->next;
  c->listed = 0;
  if (!c->holders) release(c);
}

/* --- what has changed is not handed out any more --- */

static void look(struct conf_share *s) {
  deadline now = mono_now();
  int changed = control_watch_changed(&s->watch);

  if (changed == 0 && now < s->looked + LOOK_SECONDS * NS_PER_S) return;
  s->looked = now;
  for (struct conf_shared *c = s->current; c;) {
    struct conf_shared *next = c->next;

    if (changed == 1 || conf_stamp(s->readers, &c->env) != c->stamp) unlist(s, c);
    c = next;
  }
}

void conf_share_init(struct conf_share *s, unsigned readers, int (*valid)(const struct conf *c, struct strerr *e)) {
  memset(s, 0, sizeof *s);
  s->readers = readers;
  s->valid = valid;
  control_watch_init(&s->watch);
}

/* The variables of env that override a setting, in the order of the schema. */
static int overrides(const struct conf_share *s, const struct env *env, stralloc *out) {
  char name[64];

  for (int i = 0; i < SETTINGS; ++i) {
    const char *list = conf_rows[i].variables;

    if (!(conf_rows[i].readers & s->readers)) continue;
    while (*list) {
      size_t n = bytes_chr(list, strlen(list), ',');
      const char *v;

      if (n >= sizeof name) return 0;
      memcpy(name, list, n);
      name[n] = 0;
      v = env_lookup(env, name);
      if (v && (!stralloc_cats(out, name) || !stralloc_append(out, '=') || !stralloc_catz(out, v, strlen(v)))) return 0;
      list += n;
      if (*list) ++list;
    }
  }
  return 1;
}

static int attach(struct conf_share *s, struct conf_shared *c, struct strerr *e) {
  if (!s->attach.make) return 0;
  c->drop = s->attach.drop;
  c->attached = s->attach.make(s->attach.ctx, &c->conf, e);
  return c->attached ? 0 : -1;
}

static struct conf_shared *load(struct conf_share *s, const struct env *env, stralloc *key, struct strerr *e) {
  struct conf_shared *c = calloc(1, sizeof *c);

  if (!c || !env_copy(&c->env, env)) {
    if (c) release(c);
    errno = ENOMEM;
    strerr_sys(e, "unable to read settings", (char *)0);
    return 0;
  }
  c->stamp = conf_stamp(s->readers, env);
  if (conf_load_env(&c->conf, s->readers, env, e) == -1 || (s->valid && s->valid(&c->conf, e) == -1) ||
      attach(s, c, e) == -1) {
    release(c);
    return 0;
  }
  c->overrides = *key;
  *key = (stralloc)STRALLOC_INIT;
  c->listed = 1;
  c->next = s->current;
  s->current = c;
  return c;
}

static void make_room(struct conf_share *s) {
  struct conf_shared *last = 0;
  size_t n = 0;

  for (struct conf_shared *c = s->current; c; c = c->next, ++n) last = c;
  if (n >= SNAPSHOTS_MAX) unlist(s, last);
}

struct conf_shared *conf_share_get(struct conf_share *s, const struct env *env, struct strerr *e) {
  stralloc key = STRALLOC_INIT;
  struct conf_shared *c;

  look(s);
  if (!overrides(s, env, &key)) {
    errno = ENOMEM;
    strerr_sys(e, "unable to read settings", (char *)0);
    stralloc_free(&key);
    return 0;
  }
  for (c = s->current; c; c = c->next)
    if (c->overrides.len == key.len && !memcmp(stralloc_cstr(&c->overrides), stralloc_cstr(&key), key.len)) break;
  if (!c) {
    make_room(s);
    c = load(s, env, &key, e);
  }
  stralloc_free(&key);
  if (c) c->holders++;
  return c;
}

const struct conf *conf_shared(const struct conf_shared *c) {
  return &c->conf;
}

const void *conf_shared_attached(const struct conf_shared *c) {
  return c->attached;
}

void conf_share_put(struct conf_share *s, struct conf_shared *c) {
  (void)s;
  c->holders--;
  if (!c->holders && !c->listed) release(c);
}

void conf_share_free(struct conf_share *s) {
  while (s->current) unlist(s, s->current);
  control_watch_free(&s->watch);
}
