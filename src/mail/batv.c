/* batv: see batv.h. */
#include "mail/batv.h"

#include <md5.h>
#include <sha2.h>
#include <string.h>

#include "base/bytes.h"

#define PREFIX "prvs="
#define PREFIX_N (sizeof PREFIX - 1)
#define DIGITS 6
#define DIGEST (DIGITS / 2)
#define TAG_N (4 + DIGITS) /* KDDDHHHHHH */
#define DAY 86400
#define DAYS 1000
#define BLOCK SHA256_BLOCK_LENGTH
#define KIND_HMAC '1'
#define KIND_MD5 '0'

static void pad_key(unsigned char pad[BLOCK], const char *key, size_t n, unsigned char with) {
  SHA2_CTX c;

  memset(pad, 0, BLOCK);
  if (n > BLOCK) {
    SHA256Init(&c);
    SHA256Update(&c, (const uint8_t *)key, n);
    SHA256Final(pad, &c);
  } else {
    memcpy(pad, key, n);
  }
  for (size_t i = 0; i < BLOCK; ++i) pad[i] ^= with;
}

/* RFC 2104 */
static void hmac(const char *key, size_t key_n, const stralloc *text, unsigned char out[SHA256_DIGEST_LENGTH]) {
  unsigned char pad[BLOCK];
  SHA2_CTX c;

  pad_key(pad, key, key_n, 0x36);
  SHA256Init(&c);
  SHA256Update(&c, pad, BLOCK);
  SHA256Update(&c, (const uint8_t *)text->s, text->len);
  SHA256Final(out, &c);
  pad_key(pad, key, key_n, 0x5c);
  SHA256Init(&c);
  SHA256Update(&c, pad, BLOCK);
  SHA256Update(&c, out, SHA256_DIGEST_LENGTH);
  SHA256Final(out, &c);
  explicit_bzero(pad, sizeof pad);
}

static void md5(const stralloc *text, const char *key, size_t key_n, unsigned char out[MD5_DIGEST_LENGTH]) {
  MD5_CTX c;

  MD5Init(&c);
  MD5Update(&c, (const uint8_t *)text->s, text->len);
  MD5Update(&c, (const uint8_t *)key, key_n);
  MD5Final(out, &c);
}

/* The digits for a kind and day: 1, or 0 without memory. */
static int digits(const char *kind_day, const char *address, size_t n, const char *key, size_t key_n, char out[DIGITS]) {
  static const char hex[] = "0123456789abcdef";
  unsigned char digest[SHA256_DIGEST_LENGTH];
  stralloc text = STRALLOC_INIT;
  int ok = stralloc_copyb(&text, kind_day, 4) && stralloc_catb(&text, address, n);

  if (ok && *kind_day == KIND_HMAC) {
    bytes_lower(text.s, text.len);
    hmac(key, key_n, &text, digest);
  } else if (ok) {
    md5(&text, key, key_n, digest);
  }
  for (size_t i = 0; ok && i < DIGEST; ++i) {
    out[2 * i] = hex[digest[i] >> 4];
    out[2 * i + 1] = hex[digest[i] & 15];
  }
  stralloc_free(&text);
  return ok;
}

static int is_tagged(const char *s, size_t n) {
  return bytes_casestarts(s, n, PREFIX);
}

int batv_sign(stralloc *out, const char *address, size_t n, const char *key, int64_t now) {
  unsigned day = (unsigned)(now / DAY % DAYS);
  char tag[TAG_N] = {KIND_HMAC, (char)('0' + day / 100), (char)('0' + day / 10 % 10), (char)('0' + day % 10)};

  if (is_tagged(address, n) || bytes_rchr(address, n, '@') == n) return stralloc_catb(out, address, n);
  return digits(tag, address, n, key, strlen(key), tag + 4) && stralloc_cats(out, PREFIX) && stralloc_catb(out, tag, TAG_N) &&
         stralloc_append(out, '=') && stralloc_catb(out, address, n);
}

/* KDDDHHHHHH= and something behind it. */
static int is_tag(const char *s, size_t n) {
  if (n <= TAG_N + 1 || s[TAG_N] != '=' || (s[0] != KIND_HMAC && s[0] != KIND_MD5)) return 0;
  for (size_t i = 1; i < 4; ++i)
    if (s[i] < '0' || s[i] > '9') return 0;
  return 1;
}

static int is_made_by(const char *tag, const char *address, size_t n, const stralloc *key, int *no_memory) {
  char want[DIGITS];

  if (!digits(tag, address, n, key->s, key->len, want)) *no_memory = 1;
  return !*no_memory && bytes_caseequal(want, tag + 4, DIGITS);
}

enum batv_verdict batv_check(const char *address, size_t n, const struct strlist *keys, int64_t now, uint64_t days,
                             stralloc *plain) {
  const char *tag = address + PREFIX_N, *rest = tag + TAG_N + 1;
  int made = 0, no_memory = 0;
  unsigned age;

  if (!is_tagged(address, n)) return BATV_NONE;
  if (!is_tag(tag, n - PREFIX_N)) return BATV_BAD;
  n -= PREFIX_N + TAG_N + 1;
  for (size_t i = 0; !made && !no_memory && i < keys->len; ++i) made = is_made_by(tag, rest, n, &keys->item[i], &no_memory);
  if (no_memory || !stralloc_copyb(plain, rest, n)) return BATV_NO_MEMORY;
  if (!made) return BATV_BAD;
  age = ((unsigned)(now / DAY % DAYS) + DAYS - (unsigned)((tag[1] - '0') * 100 + (tag[2] - '0') * 10 + (tag[3] - '0'))) % DAYS;
  return age <= days || age == DAYS - 1 ? BATV_GOOD : BATV_STALE;
}
