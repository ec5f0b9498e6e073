/* list: see list.h. */
#include "smtp/list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "smtp/list_provider.h"

/* The first that knows an answer gives it.  The user database comes behind these: it is asked of
 * inlookup, over the session's own connection. */
static const struct list_provider *const providers[] = {&list_plain, &list_cdb};
#define PROVIDERS (sizeof providers / sizeof *providers)

struct list {
  stralloc key; /* what it was opened as */
  uint64_t stamp;
  void *state[PROVIDERS]; /* null: nothing of this kind */
  size_t holders;
  int listed; /* in the cache */
  struct list *next;
};

#define ADDRESS ADDRSET_ADDRESS
#define NAME ADDRSET_NAME
static const struct {
  enum setting setting, patterns;
  enum addrset_subject subject;
} rows[LISTS] = {
#define ADDRESS_LIST(id, setting, patterns, subject, meaning) {setting, patterns, subject},
#include "smtp/lists.def"
#undef ADDRESS_LIST
};

static const char *const names[LISTS] = {
#define ADDRESS_LIST(id, setting, patterns, subject, meaning) #id,
#include "smtp/lists.def"
#undef ADDRESS_LIST
};

static void release(struct list *l) {
  for (size_t i = 0; i < PROVIDERS; ++i)
    if (l->state[i]) providers[i]->close(l->state[i]);
  stralloc_free(&l->key);
  free(l);
}

static void unlist(struct list_cache *c, struct list *l) {
  struct list **p = &c->first;

  while (*p != l) p = &(*p)->next;
  *p = l->next;
  l->listed = 0;
  if (!l->holders) release(l);
}

static int open_all(struct list *l, const struct list_place *at, struct strerr *e) {
  for (size_t i = 0; i < PROVIDERS; ++i)
    if (providers[i]->open(at, &l->state[i], e) == -1) return -1;
  return 0;
}

static int stamp(const struct list_place *at, uint64_t *out) {
  stralloc cdb = STRALLOC_INIT;
  int r = stralloc_copys(&cdb, at->file) && stralloc_catlit(&cdb, CONF_LIST_CDB);

  if (r) *out = file_stamp(file_stamp(file_stamp(FILE_STAMP, at->file), cdb.s), at->patterns);
  stralloc_free(&cdb);
  return r;
}

static int make_key(const struct list_place *at, stralloc *key) {
  return stralloc_catz(key, at->file, strlen(at->file)) && stralloc_catz(key, at->patterns, strlen(at->patterns)) &&
         stralloc_append(key, at->regex ? 'r' : 'w');
}

static struct list *no_memory(struct strerr *e) {
  errno = ENOMEM;
  strerr_sys(e, "unable to read a list", (char *)0);
  return 0;
}

/* Takes the key over. */
static struct list *read_list(struct list_cache *c, const struct list_place *at, uint64_t now, stralloc *key,
                              struct strerr *e) {
  struct list *l = calloc(1, sizeof *l);

  if (!l) return no_memory(e);
  l->stamp = now;
  l->key = *key;
  *key = (stralloc)STRALLOC_INIT;
  if (open_all(l, at, e) == -1) {
    release(l);
    return 0;
  }
  l->listed = 1;
  l->next = c->first;
  c->first = l;
  return l;
}

/* The list as it is now: what was read before, unless a file of it changed. */
static struct list *get(struct list_cache *c, const struct list_place *at, struct strerr *e) {
  stralloc key = STRALLOC_INIT;
  struct list *l = c->first;
  uint64_t now = 0;

  if (!stamp(at, &now) || !make_key(at, &key)) {
    stralloc_free(&key);
    return no_memory(e);
  }
  while (l && !bytes_equal(l->key.s, l->key.len, key.s, key.len)) l = l->next;
  if (l && l->stamp != now) {
    unlist(c, l);
    l = 0;
  }
  if (!l) l = read_list(c, at, now, &key, e);
  if (l) l->holders++;
  stralloc_free(&key);
  return l;
}

static int open_one(struct lists *l, size_t i, struct list_cache *c, const struct conf *conf, struct strerr *e) {
  enum setting patterns = rows[i].patterns;
  struct list_place at = {conf_line(conf, rows[i].setting), "", conf_flag(conf, SET_qregex)};
  int is_set = conf_isset(conf, rows[i].setting);

  if (patterns != SETTINGS && !at.regex && conf_isset(conf, patterns)) {
    at.patterns = conf_line(conf, patterns);
    is_set = 1;
  }
  if (!is_set) return 0;
  l->of[i] = get(c, &at, e);
  return l->of[i] ? 0 : -1;
}

/* Which of them the user database holds too: 0, or -1 with e filled. */
static int read_sqllists(struct lists *l, const struct conf *conf, struct strerr *e) {
  const struct strlist *lines = conf_lines(conf, SET_sqllists);

  l->timeout = conf_number(conf, SET_timeoutread);
  for (size_t i = 0; i < lines->len; ++i) {
    int id = 0;

    while (id < LISTS && strcmp(names[id], lines->item[i].s) != 0) ++id;
    if (id == LISTS) {
      strerr_set(e, stralloc_cstr(&conf->v[SET_sqllists].where), ": no list that can be kept in the user database: ", lines->item[i].s, (char *)0);
      e->permanent = 1;
      return -1;
    }
    l->in_sql[id] = 1;
  }
  return 0;
}

int lists_open(struct lists *l, struct list_cache *c, const struct conf *conf, struct strerr *e) {
  int r;

  memset(l, 0, sizeof *l);
  r = read_sqllists(l, conf, e);
  for (size_t i = 0; r == 0 && i < LISTS; ++i) r = open_one(l, i, c, conf, e);
  if (r == -1) lists_close(l);
  return r;
}

void lists_close(struct lists *l) {
  for (size_t i = 0; i < LISTS; ++i) {
    struct list *one = l->of[i];

    if (one && !--one->holders && !one->listed) release(one);
    l->of[i] = 0;
  }
}

void list_cache_free(struct list_cache *c) {
  while (c->first) unlist(c, c->first);
}

int list_is_there(const struct lists *l, enum list_id id) {
  return l->of[id] || l->in_sql[id];
}

static enum list_verdict ask_database(const struct lists *l, enum list_id id, const char *subject, size_t n, struct lookup *users,
                                      struct strerr *e) {
  int back;

  switch (lookup_listed(users, names[id], rows[id].subject == ADDRSET_NAME, subject, n, deadline_in((int64_t)l->timeout), &back, e)) {
    case LOOKUP_FOUND: return back ? LIST_NO : LIST_YES;
    case LOOKUP_NONE: return LIST_NO;
    case LOOKUP_TEMPFAIL: break;
  }
  return LIST_FAILED;
}

enum list_verdict list_match(const struct lists *l, enum list_id id, const char *subject, size_t n, struct lookup *users,
                             struct strerr *e) {
  const struct list *one = l->of[id];
  enum addrset_subject what = rows[id].subject;

  if (!n && what == ADDRSET_ADDRESS) {
    subject = "<>";
    n = 2;
  }
  for (size_t i = 0; one && i < PROVIDERS; ++i) {
    if (!one->state[i]) continue;
    switch (providers[i]->find(one->state[i], what, subject, n, e)) {
      case ADDRSET_NONE: break;
      case ADDRSET_IN: return LIST_YES;
      case ADDRSET_BACK: return LIST_NO;
      case ADDRSET_FAILED: return LIST_FAILED;
    }
  }
  return users && l->in_sql[id] ? ask_database(l, id, subject, n, users, e) : LIST_NO;
}
