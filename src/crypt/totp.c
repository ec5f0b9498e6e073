/* totp: see totp.h. */
#include "crypt/totp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; /* RFC 4648 section 6 */

static int encode(const unsigned char *s, size_t n, stralloc *out) {
  uint64_t bits = 0;
  unsigned have = 0;

  for (size_t i = 0; i < n; ++i) {
    bits = bits << 8 | s[i];
    for (have += 8; have >= 5; have -= 5)
      if (!stralloc_append(out, letters[bits >> (have - 5) & 31])) return 0;
  }
  return !have || stralloc_append(out, letters[bits << (5 - have) & 31]);
}

/* Bytes, 0 for what is no base32 (without padding) or too long. */
static size_t decode(const char *s, unsigned char *out) {
  uint64_t bits = 0;
  unsigned have = 0;
  size_t n = 0;

  for (; *s; ++s) {
    const char *at = strchr(letters, *s);

    if (!at) return 0;
    bits = bits << 5 | (uint64_t)(at - letters);
    have += 5;
    if (have < 8) continue;
    if (n == TOTP_SECRET_MAX) return 0;
    have -= 8;
    out[n++] = (unsigned char)(bits >> have);
  }
  return n;
}

int totp_make(stralloc *secret, struct strerr *e) {
  unsigned char made[TOTP_SECRET];
  int ok;

  if (getrandom(made, sizeof made, 0) != sizeof made) return strerr_sys(e, "unable to make a secret", (char *)0);
  stralloc_cut(secret, 0);
  ok = encode(made, sizeof made, secret);
  explicit_bzero(made, sizeof made);
  return ok ? 0 : strerr_set(e, "out of memory", (char *)0);
}

/* RFC 4226 section 5.3. */
static int number(const unsigned char *key, size_t n, uint64_t step, uint32_t *value) {
  unsigned char text[8], mac[EVP_MAX_MD_SIZE];
  unsigned size = 0, at;

  for (int i = 7; i >= 0; --i, step >>= 8) text[i] = (unsigned char)step;
  if (!HMAC(EVP_sha1(), key, (int)n, text, sizeof text, mac, &size) || size != 20) return 0;
  at = mac[19] & 15;
  *value = (uint32_t)(mac[at] & 127) << 24 | (uint32_t)mac[at + 1] << 16 | (uint32_t)mac[at + 2] << 8 | mac[at + 3];
  return 1;
}

int totp_code(const char *secret, uint64_t step, unsigned digits, char *code) {
  unsigned char key[TOTP_SECRET_MAX];
  size_t n = decode(secret, key);
  uint32_t value;
  int ok = n && number(key, n, step, &value);

  explicit_bzero(key, sizeof key);
  if (!ok) return 0;
  code[digits] = 0;
  for (; digits--; value /= 10) code[digits] = (char)('0' + value % 10);
  return 1;
}

int totp_check(const char *secret, const char *code, size_t n, int64_t now, int64_t last, int64_t *step) {
  const int64_t present = now / TOTP_PERIOD;
  char given[TOTP_DIGITS] = "", right[TOTP_DIGITS + 1];
  int found = 0;

  if (n == TOTP_DIGITS) memcpy(given, code, n);
  for (int64_t i = present - 1; i <= present + 1; ++i) {
    int is;

    if (!totp_code(secret, (uint64_t)i, TOTP_DIGITS, right)) return -1;
    is = bytes_equal_secret(given, right, TOTP_DIGITS) & (i > last);
    if (is) *step = i;
    found |= is;
  }
  explicit_bzero(right, sizeof right);
  return found;
}

static int escaped(stralloc *out, const char *s) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~@";
  static const char hex[] = "0123456789ABCDEF";

  for (; *s; ++s) {
    const unsigned char c = (unsigned char)*s;
    const char code[3] = {'%', hex[c >> 4], hex[c & 15]};

    if (strchr(plain, *s) ? !stralloc_append(out, *s) : !stralloc_catb(out, code, sizeof code)) return 0;
  }
  return 1;
}

int totp_uri(const char *secret, const char *issuer, const char *account, stralloc *uri) {
  return stralloc_copylit(uri, "otpauth://totp/") && escaped(uri, issuer) && stralloc_catlit(uri, ":") && escaped(uri, account) &&
         stralloc_catm(uri, "?secret=", secret, "&issuer=", (char *)0) && escaped(uri, issuer) && stralloc_catlit(uri, "&algorithm=SHA1&digits=6&period=30");
}
