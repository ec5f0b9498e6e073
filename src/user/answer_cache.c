/* answer_cache: see answer_cache.h. */
#include "user/answer_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/cdb.h"

struct answer_place {
  stralloc text; /* the question, then the answer */
  size_t question;
  int64_t at;
};

static size_t index_of(const stralloc *question) {
  return cdb_hash(question->s, question->len) % ANSWER_CACHE_PLACES;
}

void answer_cache_put(struct answer_cache *c, const stralloc *question, const char *answer, size_t n, int64_t now) {
  struct answer_place *p;

  if (!question->len || question->len + n > ANSWER_CACHE_BYTES) return;
  if (!c->place) c->place = calloc(ANSWER_CACHE_PLACES, sizeof *c->place);
  if (!c->place) return;
  p = &c->place[index_of(question)];
  p->question = 0;
  if (!stralloc_copy(&p->text, question) || !stralloc_catb(&p->text, answer, n)) return;
  p->question = question->len;
  p->at = now;
}

static struct answer_place *find(const struct answer_cache *c, const stralloc *question) {
  struct answer_place *p = c->place && question->len ? &c->place[index_of(question)] : 0;

  return p && p->question == question->len && !memcmp(p->text.s, question->s, question->len) ? p : 0;
}

void answer_cache_drop(struct answer_cache *c, const stralloc *question) {
  struct answer_place *p = find(c, question);

  if (p) p->question = 0;
}

int answer_cache_get(const struct answer_cache *c, const stralloc *question, int64_t now, int64_t age, stralloc *answer) {
  const struct answer_place *p = find(c, question);

  if (!p || now - p->at > age) return 0;
  return stralloc_catb(answer, p->text.s + p->question, p->text.len - p->question);
}

void answer_cache_free(struct answer_cache *c) {
  for (size_t i = 0; c->place && i < ANSWER_CACHE_PLACES; ++i) stralloc_free(&c->place[i].text);
  free(c->place);
  c->place = 0;
}
