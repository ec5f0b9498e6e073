/* collection: see collection.h. */
#include "queue/collection.h"

#include <string.h>
#include <unistd.h>

#include "conf/paths.h"

#define QUEUES_MAX 1000

int collection_load(struct collection *c, const struct conf *conf, struct strerr *e) {
  const char *base = conf_line(conf, SET_queue_base);

  memset(c, 0, sizeof *c);
  c->start = conf_number(conf, SET_queue_start);
  c->count = conf_number(conf, SET_queue_count);
  if (c->count < 1 || c->count > QUEUES_MAX || c->start > QUEUES_MAX) {
    strerr_set(e, "QUEUE_START or QUEUE_COUNT out of range (at most 1000 queues)", (char *)0);
    e->permanent = 1;
    return -1;
  }
  if (*base ? stralloc_copys(&c->base, base) : paths_get(PATH_QUEUES, &c->base)) return 0;
  return strerr_sys(e, "unable to find the queues", (char *)0);
}

int collection_queue(const struct collection *c, uint64_t i, stralloc *dir) {
  return stralloc_copy(dir, &c->base) && stralloc_catlit(dir, "/queue") &&
         stralloc_catu64(dir, c->start + i);
}

int collection_choose(const struct collection *c, const struct conf *conf, uint64_t pick,
                      stralloc *dir) {
  const char *one = conf_line(conf, SET_queuedir);

  if (*one) return stralloc_copys(dir, one);
  return collection_queue(c, pick % c->count, dir);
}

int collection_enter(stralloc *dir, struct strerr *e) {
  struct collection c = {0};
  struct conf conf;
  int r = conf_load(&conf, CONF_QUEUE, e);

  if (r == 0) r = collection_load(&c, &conf, e);
  if (r == 0 && !collection_choose(&c, &conf, 0, dir)) r = strerr_sys(e, "unable to find the queue", (char *)0);
  if (r == 0 && chdir(dir->s) == -1) r = strerr_sys(e, "unable to enter queue ", dir->s, (char *)0);
  collection_free(&c);
  conf_free(&conf);
  return r;
}

const char *collection_name(const char *dir) {
  const char *slash = strrchr(dir, '/');

  return slash ? slash + 1 : dir;
}

void collection_free(struct collection *c) {
  stralloc_free(&c->base);
}
