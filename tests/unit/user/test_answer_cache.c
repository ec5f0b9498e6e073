/* Answers for the time when the database is away: by question, for so long, within bounds. */
#include "user/answer_cache.h"

#include <stdio.h>
#include <string.h>

#include "check.h"

static struct answer_cache cache;

static void put(const char *question, const char *answer, int64_t now) {
  stralloc q = STRALLOC_INIT, a = STRALLOC_INIT;

  CHECK(stralloc_copys(&q, question) && stralloc_copys(&a, answer));
  answer_cache_put(&cache, &q, stralloc_cstr(&a), a.len, now);
  stralloc_free(&q);
  stralloc_free(&a);
}

static int gives(const char *question, int64_t now, const char *want) {
  stralloc q = STRALLOC_INIT, a = STRALLOC_INIT;
  int found, same;

  CHECK(stralloc_copys(&q, question));
  found = answer_cache_get(&cache, &q, now, 100, &a);
  same = want ? found && stralloc_equals(&a, want) : !found && !a.len;
  stralloc_free(&q);
  stralloc_free(&a);
  return same;
}

static void drop(const char *question) {
  stralloc q = STRALLOC_INIT;

  CHECK(stralloc_copys(&q, question));
  answer_cache_drop(&cache, &q);
  stralloc_free(&q);
}

int main(void) {
  char name[32];
  size_t kept = 0;
  static char longest[ANSWER_CACHE_BYTES + 1];

  CHECK(gives("joe", 0, 0));
  put("joe", "one", 1000);
  CHECK(gives("joe", 1000, "one") && gives("joe", 1100, "one") && gives("joe", 1101, 0) && gives("jo", 1000, 0) && gives("joeone", 1000, 0));
  put("joe", "two", 1050);
  CHECK(gives("joe", 1150, "two"));
  drop("jo");
  CHECK(gives("joe", 1150, "two"));
  drop("joe");
  CHECK(gives("joe", 1150, 0));
  put("joe", "", 1200);
  CHECK(gives("joe", 1200, ""));
  put("", "nothing", 1200);
  CHECK(gives("", 1200, 0));
  memset(longest, 'x', ANSWER_CACHE_BYTES - 3);
  put("ann", longest, 1200);
  CHECK(gives("ann", 1200, longest));
  memset(longest, 'x', ANSWER_CACHE_BYTES - 2);
  put("eve", longest, 1200);
  CHECK(gives("eve", 1200, 0));
  for (int i = 0; i < 3 * ANSWER_CACHE_PLACES; ++i) {
    snprintf(name, sizeof name, "u%d", i);
    put(name, name, 1300);
  }
  for (int i = 0; i < 3 * ANSWER_CACHE_PLACES; ++i) {
    snprintf(name, sizeof name, "u%d", i);
    kept += (size_t)gives(name, 1300, name);
  }
  CHECK(kept > ANSWER_CACHE_PLACES / 2 && kept <= ANSWER_CACHE_PLACES);
  answer_cache_free(&cache);
  CHECK(gives("u1", 1300, 0));
  {
    stralloc q = STRALLOC_INIT, a = STRALLOC_INIT;

    CHECK(stralloc_copys(&q, "joe") && stralloc_copys(&a, "one"));
    for (long n = 1; n < 4; ++n) {
      check_nomem(n);
      answer_cache_put(&cache, &q, stralloc_cstr(&a), a.len, 1000);
      check_nomem(0);
      CHECK(n < 3 ? gives("joe", 1000, 0) : gives("joe", 1000, "one") || gives("joe", 1000, 0));
      answer_cache_free(&cache);
    }
    stralloc_free(&q);
    stralloc_free(&a);
  }
  CHECK(gives("joe", 1000, 0));
  answer_cache_free(&cache);
  return check_done();
}
