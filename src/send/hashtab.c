/* hashtab: see hashtab.h. */
#include "send/hashtab.h"

#include <stdlib.h>

uint64_t hash_mix(uint64_t a, uint64_t b) {
  a = (a ^ b) * UINT64_C(0x9e3779b97f4a7c15);
  a ^= a >> 29;
  a *= UINT64_C(0xbf58476d1ce4e5b9);
  return a ^ a >> 32;
}

uint64_t hash_bytes(uint64_t seed, const char *s, size_t n) {
  uint64_t h = seed;

  for (size_t i = 0; i < n; ++i) {
    unsigned char c = (unsigned char)s[i];

    if (c >= 'A' && c <= 'Z') c = (unsigned char)(c + 32);
    h = hash_mix(h, c + UINT64_C(1));
  }
  return hash_mix(h, n);
}

static size_t bucket_of(const struct hashtab *t, uint64_t hash) {
  return (size_t)hash & (t->a - 1);
}

/* Without memory the chains just get longer. */
static void grow(struct hashtab *t) {
  struct hashtab bigger = {.n = t->n, .a = t->a ? t->a * 2 : 64};

  bigger.bucket = calloc(bigger.a, sizeof *bigger.bucket);
  if (!bigger.bucket) return;
  for (size_t i = 0; i < t->a; ++i)
    while (t->bucket[i]) {
      struct hash_link *l = t->bucket[i];
      size_t b = bucket_of(&bigger, l->hash);

      t->bucket[i] = l->next;
      l->next = bigger.bucket[b];
      bigger.bucket[b] = l;
    }
  free(t->bucket);
  *t = bigger;
}

struct hash_link *hashtab_chain(const struct hashtab *t, uint64_t hash) {
  return t->a ? t->bucket[bucket_of(t, hash)] : 0;
}

int hashtab_add(struct hashtab *t, struct hash_link *l, uint64_t hash) {
  struct hash_link **b;

  if (t->n >= t->a) grow(t);
  if (!t->a) return 0;
  b = &t->bucket[bucket_of(t, hash)];
  l->hash = hash;
  l->next = *b;
  *b = l;
  t->n++;
  return 1;
}

void hashtab_remove(struct hashtab *t, struct hash_link *l) {
  struct hash_link **p = &t->bucket[bucket_of(t, l->hash)];

  while (*p != l) p = &(*p)->next;
  *p = l->next;
  l->next = 0;
  t->n--;
}

void hashtab_free(struct hashtab *t) {
  free(t->bucket);
  *t = (struct hashtab){0};
}
