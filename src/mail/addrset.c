/* addrset: see addrset.h. */
#include "mail/addrset.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "mail/addrlist.h"
#include "mail/pattern.h"

#define LINES_MAX 10000000 /* numbers of lines are 32 bits wide */

/* --- the hash table --- */

static uint32_t hash_byte(uint32_t h, char c) {
  if (c >= 'A' && c <= 'Z') c = (char)(c + 32);
  return (h ^ (unsigned char)c) * 16777619u;
}

static uint32_t hash(const struct addrkey *key) {
  uint32_t h = key->at ? hash_byte(2166136261u, '@') : 2166136261u;

  for (size_t i = 0; i < key->n; ++i) h = hash_byte(h, key->s[i]);
  return h ^ h >> 15;
}

static int equals(const struct addrset *s, uint32_t number, const struct addrkey *key) {
  const struct addrset_line *l = &s->line[number];
  const char *text = s->text.s + l->at;

  if (l->n != key->n + (size_t)key->at || (key->at && *text != '@')) return 0;
  return bytes_caseequal(text + key->at, key->s, key->n);
}

/* The slot of the key, or the free one where it belongs. */
static size_t place(const struct addrset *s, const struct addrkey *key) {
  size_t i = hash(key) & (s->slots - 1);

  while (s->slot[i] && !equals(s, s->slot[i] - 1, key)) i = (i + 1) & (s->slots - 1);
  return i;
}

static struct addrkey key_of(const struct addrset *s, uint32_t number) {
  return (struct addrkey){0, s->text.s + s->line[number].at, s->line[number].n};
}

/* At most half of the slots are used. */
static int grow(struct addrset *s) {
  struct addrset bigger = *s;

  if (s->used * 2 < s->slots) return 1;
  bigger.slots = s->slots ? s->slots * 2 : 64;
  bigger.slot = calloc(bigger.slots, sizeof *bigger.slot);
  if (!bigger.slot) return 0;
  for (size_t i = 0; i < s->slots; ++i)
    if (s->slot[i]) {
      struct addrkey key = key_of(s, s->slot[i] - 1);

      bigger.slot[place(&bigger, &key)] = s->slot[i];
    }
  free(s->slot);
  *s = bigger;
  return 1;
}

/* Of equal lines the last counts. */
static int add_exact(struct addrset *s, uint32_t number) {
  struct addrkey key = key_of(s, number);
  size_t i;

  if (!grow(s)) return 0;
  i = place(s, &key);
  if (!s->slot[i]) ++s->used;
  s->slot[i] = number + 1;
  return 1;
}

static int add_wild(struct addrset *s, uint32_t number) {
  if (s->wilds == s->wilds_a) {
    size_t a = s->wilds_a ? s->wilds_a * 2 : 8;
    uint32_t *wild = reallocarray(s->wild, a, sizeof *wild);

    if (!wild) return 0;
    s->wild = wild;
    s->wilds_a = a;
  }
  s->wild[s->wilds++] = number;
  return 1;
}

/* --- reading --- */

static int compile(struct addrset_line *l, const char *text, struct strerr *e) {
  stralloc expression = STRALLOC_INIT;

  if (stralloc_copys(&expression, *text == '@' ? ".*" : "") && stralloc_catb(&expression, text, l->n))
    l->pattern = pattern_compile(expression.s, expression.len, e);
  else strerr_set(e, "out of memory", (char *)0);
  stralloc_free(&expression);
  return l->pattern ? 0 : -1;
}

static int add_line(struct addrset *s, const char *text, size_t n, struct strerr *e) {
  struct addrset_line l = {.back = *text == '!'};
  uint32_t number = (uint32_t)s->len;

  strerr_set(e, "out of memory", (char *)0);
  text += l.back;
  l.n = (uint32_t)(n - l.back);
  if (s->len == s->a) {
    size_t a = s->a ? s->a * 2 : 16;
    struct addrset_line *line = s->len < LINES_MAX ? reallocarray(s->line, a, sizeof *line) : 0;

    if (!line) return -1;
    s->line = line;
    s->a = a;
  }
  l.at = s->text.len;
  if (!stralloc_catz(&s->text, text, l.n)) return -1;
  if (s->regex && compile(&l, s->text.s + l.at, e) == -1) return -1;
  s->line[s->len++] = l;
  if (s->regex) return 0;
  return (addrlist_is_wild(s->text.s + l.at) ? add_wild(s, number) : add_exact(s, number)) ? 0 : -1;
}

static int at_line(const char *where, uint64_t number, struct strerr *e) {
  struct strerr why = *e;
  char digits[FMT_U64 + 1];

  strerr_set(e, where, ":", fmt_u64_z(digits, number), ": ", why.text, (char *)0);
  e->permanent = why.permanent;
  return -1;
}

int addrset_add(struct addrset *s, const char *where, const char *text, size_t n, struct strerr *e) {
  uint64_t number = 1;

  for (size_t i; n; ++number, text += i, n -= i) {
    size_t len;

    i = len = bytes_chr(text, n, '\n');
    if (i < n) ++i;
    while (len && memchr(" \t\r", text[len - 1], 3)) --len;
    if (!len || *text == '#' || (*text == '!' && len == 1)) continue;
    if (memchr(text, 0, len)) {
      strerr_set(e, "a NUL byte is not allowed", (char *)0);
      e->permanent = 1;
    } else if (add_line(s, text, len, e) == 0) {
      continue;
    }
    return at_line(where, number, e);
  }
  return 0;
}

/* --- asking --- */

static int matches(const char *line, enum addrset_subject what, const char *subject, size_t n) {
  if (what == ADDRSET_NAME && *line == '@') ++line;
  return what == ADDRSET_NAME ? addrlist_wild(line, subject, n) : addrlist_line(line, subject, n);
}

/* The number of the last line that matches, and 1; 0 for none. */
static uint32_t last_match(const struct addrset *s, enum addrset_subject what, const char *subject, size_t n) {
  struct addrkeys keys;
  struct addrkey key;
  uint32_t best = 0;

  addrkeys_init(&keys, what, subject, n);
  while (s->slots && addrkeys_next(&keys, &key)) {
    uint32_t found = s->slot[place(s, &key)];

    if (found > best) best = found;
  }
  for (size_t i = s->wilds; i > 0 && s->wild[i - 1] >= best; --i)
    if (matches(s->text.s + s->line[s->wild[i - 1]].at, what, subject, n)) return s->wild[i - 1] + 1;
  return best;
}

static enum addrset_verdict find_pattern(const struct addrset *s, const char *subject, size_t n) {
  enum addrset_verdict verdict = ADDRSET_NONE;

  for (size_t i = 0; i < s->len; ++i) switch (pattern_match(s->line[i].pattern, subject, n)) {
      case PATTERN_YES:
        if (!s->line[i].back) return ADDRSET_IN;
        break;
      case PATTERN_NO:
        if (s->line[i].back) return ADDRSET_IN;
        break;
      case PATTERN_FAILED: verdict = ADDRSET_FAILED; break;
    }
  return verdict;
}

enum addrset_verdict addrset_find(const struct addrset *s, enum addrset_subject what, const char *subject, size_t n) {
  uint32_t last;

  if (s->regex) return find_pattern(s, subject, n);
  last = last_match(s, what, subject, n);
  return !last ? ADDRSET_NONE : s->line[last - 1].back ? ADDRSET_BACK : ADDRSET_IN;
}

void addrset_free(struct addrset *s) {
  int regex = s->regex;

  for (size_t i = 0; i < s->len; ++i) pattern_free(s->line[i].pattern);
  stralloc_free(&s->text);
  free(s->line);
  free(s->slot);
  free(s->wild);
  memset(s, 0, sizeof *s);
  s->regex = regex;
}
