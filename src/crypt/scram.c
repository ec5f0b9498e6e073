/* scram: see scram.h. */
#include "crypt/scram.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <sys/random.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/scan.h"
#include "crypt/saslprep_unicode.h"

static const struct {
  const char *name;
  const EVP_MD *(*digest)(void);
  size_t n; /* bytes of a key */
} hashes[SCRAM_HASHES] = {
    [SCRAM_SHA1] = {"SCRAM-SHA-1", EVP_sha1, 20},
    [SCRAM_SHA256] = {"SCRAM-SHA-256", EVP_sha256, 32},
    [SCRAM_SHA512] = {"SCRAM-SHA-512", EVP_sha512, 64},
};

int scram_hash_find(const char *name, size_t n, enum scram_hash *hash) {
  for (int i = 0; i < SCRAM_HASHES; ++i)
    if (bytes_equal(name, n, hashes[i].name, strlen(hashes[i].name))) {
      *hash = (enum scram_hash)i;
      return 1;
    }
  return 0;
}

static int failed(struct strerr *e) {
  return strerr_set(e, "unable to compute a digest", (char *)0);
}

static int refuse(struct strerr *e, const char *why, const char *what) {
  strerr_set(e, why, what, (char *)0);
  e->permanent = 1;
  return -1;
}

static int hmac(enum scram_hash hash, const void *key, size_t key_n, const char *s, size_t n, unsigned char *out) {
  return HMAC(hashes[hash].digest(), key, (int)key_n, (const unsigned char *)s, n, out, 0) != 0;
}

static int digest(enum scram_hash hash, const unsigned char *s, unsigned char *out) {
  return EVP_Digest(s, hashes[hash].n, out, 0, hashes[hash].digest(), 0) == 1;
}

int scram_derive(struct scram_keys *k, const char *password, size_t n, struct strerr *e) {
  unsigned char salted[SCRAM_KEY_MAX], client[SCRAM_KEY_MAX];
  size_t key_n = hashes[k->hash].n;
  int ok = PKCS5_PBKDF2_HMAC(password, (int)n, k->salt, (int)k->salt_n, (int)k->iterations,
                             hashes[k->hash].digest(), (int)key_n, salted) == 1 &&
           hmac(k->hash, salted, key_n, "Client Key", strlen("Client Key"), client) && digest(k->hash, client, k->stored) &&
           hmac(k->hash, salted, key_n, "Server Key", strlen("Server Key"), k->server);

  explicit_bzero(salted, sizeof salted);
  explicit_bzero(client, sizeof client);
  return ok ? 0 : failed(e);
}

static int put(stralloc *out, const unsigned char *s, size_t n) {
  return stralloc_append(out, ',') && base64_encode(out, (const char *)s, n);
}

/* A word of credentials. */
static int put_keys(stralloc *out, const struct scram_keys *k) {
  size_t n = hashes[k->hash].n;

  return (!out->len || stralloc_append(out, ' ')) && stralloc_catm(out, "{", hashes[k->hash].name, "}", (char *)0) &&
         stralloc_catu64(out, k->iterations) && put(out, k->salt, k->salt_n) && put(out, k->stored, n) &&
         put(out, k->server, n);
}

static int add_mechanism(stralloc *out, enum scram_hash hash, uint64_t iterations, const char *password,
                         struct strerr *e) {
  struct scram_keys k = {.hash = hash, .iterations = iterations, .salt_n = SCRAM_SALT};
  int r = -1;

  if (getrandom(k.salt, SCRAM_SALT, 0) != SCRAM_SALT) strerr_sys(e, "unable to get random bytes", (char *)0);
  else if (scram_derive(&k, password, strlen(password), e) == 0)
    r = put_keys(out, &k) ? 0 : strerr_set(e, "out of memory", (char *)0);
  explicit_bzero(&k, sizeof k);
  return r;
}

/* The next of several names: 1 with its hash, 0 at the end, -1 when it is none. */
static int next_mechanism(const char **names, enum scram_hash *hash) {
  const char *s = *names + strspn(*names, " \t");
  size_t n = strcspn(s, " \t");

  *names = s + n;
  return n ? scram_hash_find(s, n, hash) ? 1 : -1 : 0;
}

int scram_settings_ok(const char *mechanisms, uint64_t iterations, struct strerr *e) {
  const char *names = mechanisms;
  enum scram_hash hash;
  int r;

  while ((r = next_mechanism(&names, &hash)) == 1) continue;
  if (r == -1) return refuse(e, "no mechanisms of SCRAM: ", mechanisms);
  if (iterations >= SCRAM_ITERATIONS_MIN && iterations <= SCRAM_ITERATIONS_MAX) return 0;
  return refuse(e, "iterations of SCRAM must be from 4096 to 10000000", "");
}

int scram_credentials(const char *mechanisms, uint64_t iterations, const char *password, stralloc *out,
                      struct strerr *e) {
  stralloc prepared = STRALLOC_INIT;
  enum scram_hash hash;
  int r;

  stralloc_cut(out, 0);
  if (scram_settings_ok(mechanisms, iterations, e) == -1) return -1;
  r = saslprep_unicode(&prepared, password, SASLPREP_STORED);
  if (r == -1) strerr_set(e, "out of memory", (char *)0);
  while (r == 1 && next_mechanism(&mechanisms, &hash) == 1) r = add_mechanism(out, hash, iterations, prepared.s, e) == -1 ? -1 : 1;
  stralloc_wipe(&prepared);
  return r == -1 ? -1 : 0;
}

/* The bytes of a base64 field, which must have at least min and at most max of them: how
 * many; -1 malformed; -2 memory. */
static int take(const char *s, size_t n, unsigned char *out, size_t min, size_t max) {
  stralloc bytes = STRALLOC_INIT;
  int got = n <= 2 * max ? base64_decode(&bytes, s, n) : 0;
  int r = got == -1 ? -2 : -1;

  if (got == 1 && bytes.len >= min && bytes.len <= max) {
    memcpy(out, bytes.s, bytes.len);
    r = (int)bytes.len;
  }
  stralloc_wipe(&bytes);
  stralloc_free(&bytes);
  return r;
}

static int parse_keys(const char *s, size_t n, struct scram_keys *k) {
  size_t key_n = hashes[k->hash].n, first = bytes_chr(s, n, ','), second, third;
  int salt, stored, server;

  if (first >= n || !scan_u64_max(s, first, SCRAM_ITERATIONS_MAX, &k->iterations) || !k->iterations) return 0;
  s += first + 1;
  n -= first + 1;
  second = bytes_chr(s, n, ',');
  if (second >= n) return 0;
  third = second + 1 + bytes_chr(s + second + 1, n - second - 1, ',');
  if (third >= n) return 0;
  salt = take(s, second, k->salt, 1, SCRAM_SALT_MAX);
  if (salt < 0) return salt == -2 ? -1 : 0;
  k->salt_n = (size_t)salt;
  stored = take(s + second + 1, third - second - 1, k->stored, key_n, key_n);
  server = take(s + third + 1, n - third - 1, k->server, key_n, key_n);
  if (stored == -2 || server == -2) return -1;
  return stored > 0 && server > 0;
}

int scram_find(const char *credentials, enum scram_hash hash, struct scram_keys *k) {
  const char *name = hashes[hash].name;

  k->hash = hash;
  for (const char *s = credentials; *s;) {
    size_t n = strcspn(s, " "), len = strlen(name);

    if (n > len + 2 && s[0] == '{' && !memcmp(s + 1, name, len) && s[len + 1] == '}')
      return parse_keys(s + len + 2, n - len - 2, k);
    s += n + strspn(s + n, " ");
  }
  return 0;
}

int scram_check(const struct scram_keys *k, const char *signed_text, size_t n, const char *proof, size_t proof_n,
                stralloc *signature, struct strerr *e) {
  unsigned char client[SCRAM_KEY_MAX] = {0}, ours[SCRAM_KEY_MAX], key[SCRAM_KEY_MAX];
  size_t key_n = hashes[k->hash].n;
  int got = take(proof, proof_n, client, key_n, key_n), same;

  if (got == -2) return strerr_set(e, "out of memory", (char *)0);
  if (!hmac(k->hash, k->stored, key_n, signed_text, n, ours)) return failed(e);
  for (size_t i = 0; i < key_n; ++i) client[i] ^= ours[i];
  if (!digest(k->hash, client, key)) return failed(e);
  same = bytes_equal_secret((const char *)key, (const char *)k->stored, key_n) & (got > 0);
  explicit_bzero(client, sizeof client);
  if (!same) return 0;
  if (!hmac(k->hash, k->server, key_n, signed_text, n, ours)) return failed(e);
  return base64_encode(signature, (const char *)ours, key_n) ? 1 : strerr_set(e, "out of memory", (char *)0);
}

int scram_fake(struct scram_keys *k, const char *secret, size_t secret_n, const char *name, size_t name_n,
               struct strerr *e) {
  unsigned char out[SCRAM_KEY_MAX];
  const char *mechanism = hashes[k->hash].name;

  /* One key for each mechanism, so that its salts tell nothing of another's. */
  if (!hmac(SCRAM_SHA256, secret, secret_n, mechanism, strlen(mechanism), out) ||
      !hmac(SCRAM_SHA256, out, hashes[SCRAM_SHA256].n, name, name_n, out))
    return failed(e);
  k->salt_n = SCRAM_SALT;
  memcpy(k->salt, out, SCRAM_SALT);
  memset(k->server, 0, sizeof k->server);
  if (getrandom(k->stored, sizeof k->stored, 0) == sizeof k->stored) return 0;
  return strerr_sys(e, "unable to get random bytes", (char *)0);
}
