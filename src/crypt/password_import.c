/* password_import: see password_import.h. */
#include "crypt/password_import.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/scan.h"
#include "crypt/password.h"

#define ROUNDS_MAX 10000000
#define MD5_PREFIX "$1$"
#define MD5_SALT_MAX 8
#define MD5_HASH 22 /* characters behind the salt */
#define DES_HASH 13 /* with the salt */

/* What stands behind the name. */
enum form {
  CRYPT,  /* a hash as crypt(5) has them */
  CLEAR,  /* the password */
  DIGEST, /* digest of the password and, behind it, a salt */
  PBKDF2, /* $1$salt$rounds$key, the key of SHA-1 in hexadecimal */
};

struct scheme {
  const char *name;
  enum form form;
  const EVP_MD *(*digest)(void);
  int salted, hex; /* hex: unless the name says otherwise */
};

static const struct scheme schemes[] = {
    {"CRYPT", CRYPT, 0, 0, 0},           {"BLF-CRYPT", CRYPT, 0, 0, 0},       {"SHA512-CRYPT", CRYPT, 0, 0, 0},
    {"SHA256-CRYPT", CRYPT, 0, 0, 0},    {"MD5-CRYPT", CRYPT, 0, 0, 0},       {"DES-CRYPT", CRYPT, 0, 0, 0},
    {"PLAIN", CLEAR, 0, 0, 0},           {"CLEAR", CLEAR, 0, 0, 0},           {"CLEARTEXT", CLEAR, 0, 0, 0},
    {"PLAIN-MD5", DIGEST, EVP_md5, 0, 1}, {"LDAP-MD5", DIGEST, EVP_md5, 0, 0}, {"MD5", DIGEST, EVP_md5, 0, 0},
    {"SMD5", DIGEST, EVP_md5, 1, 0},     {"SHA", DIGEST, EVP_sha1, 0, 0},     {"SHA1", DIGEST, EVP_sha1, 0, 0},
    {"SSHA", DIGEST, EVP_sha1, 1, 0},    {"SHA256", DIGEST, EVP_sha256, 0, 0}, {"SSHA256", DIGEST, EVP_sha256, 1, 0},
    {"SHA512", DIGEST, EVP_sha512, 0, 0}, {"SSHA512", DIGEST, EVP_sha512, 1, 0}, {"PBKDF2", PBKDF2, EVP_sha1, 0, 0},
};

static int failed(struct strerr *e) {
  return strerr_set(e, "unable to check a password: out of memory or no such digest", (char *)0);
}

/* The scheme of a stored text, how its digest is written, and what is behind the name. */
static const struct scheme *find(const char *stored, int *hex, const char **rest) {
  size_t n = *stored == '{' ? strcspn(stored, "}") : 0;
  size_t name = n ? strcspn(stored + 1, ".}") : 0;
  const char *coding = stored + 1 + name;

  if (!n || stored[n] != '}') return 0;
  *rest = stored + n + 1;
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; ++i) {
    if (strlen(schemes[i].name) != name || !bytes_caseequal(stored + 1, schemes[i].name, name)) continue;
    *hex = schemes[i].hex;
    if (*coding == '}') return &schemes[i];
    if (n - name == 5 && bytes_caseequal(coding, ".HEX", 4)) *hex = 1;
    else if (n - name == 5 && bytes_caseequal(coding, ".B64", 4)) *hex = 0;
    else return 0;
    return &schemes[i];
  }
  return 0;
}

/* 1, 0 or -1, as base64_decode. */
static int decode_hex(stralloc *out, const char *s) {
  for (; *s; s += 2) {
    int high = scan_hexdigit(s[0]);
    int low = high == -1 ? -1 : scan_hexdigit(s[1]);

    if (low == -1) return 0;
    if (!stralloc_append(out, (char)(high << 4 | low))) return -1;
  }
  return 1;
}

/* Digest and salt: 1, 0 not well formed, -1. */
static int decode(const struct scheme *s, int hex, const char *text, stralloc *out) {
  size_t n = (size_t)EVP_MD_get_size(s->digest());
  int r = hex ? decode_hex(out, text) : base64_decode(out, text, strlen(text));

  if (r == 1 && (s->salted ? out->len <= n : out->len != n)) r = 0;
  return r;
}

static int verify_digest(const struct scheme *s, int hex, const char *text, const char *password, struct strerr *e) {
  stralloc stored = STRALLOC_INIT;
  unsigned char made[EVP_MAX_MD_SIZE];
  unsigned n = 0;
  int r = decode(s, hex, text, &stored);
  EVP_MD_CTX *c = r == 1 ? EVP_MD_CTX_new() : 0;

  if (r == 1) {
    size_t size = (size_t)EVP_MD_get_size(s->digest());

    if (!c || !EVP_DigestInit_ex(c, s->digest(), 0) || !EVP_DigestUpdate(c, password, strlen(password)) ||
        !EVP_DigestUpdate(c, stored.s + size, stored.len - size) || !EVP_DigestFinal_ex(c, made, &n))
      r = -1;
    else r = bytes_equal_secret((const char *)made, stored.s, size);
  }
  EVP_MD_CTX_free(c);
  explicit_bzero(made, sizeof made);
  stralloc_wipe(&stored);
  return r == -1 ? failed(e) : r;
}

struct pbkdf2 {
  const char *salt, *key;
  size_t salt_n;
  uint32_t rounds;
};

static int parse_pbkdf2(const char *s, struct pbkdf2 *p) {
  size_t n;

  if (strncmp(s, "$1$", 3) != 0) return 0;
  p->salt = s + 3;
  p->salt_n = strcspn(p->salt, "$");
  s = p->salt + p->salt_n;
  if (!*s++) return 0;
  n = strcspn(s, "$");
  p->key = s + n + 1;
  return s[n] && scan_u32(s, n, &p->rounds) && p->rounds && p->rounds <= ROUNDS_MAX && strlen(p->key) == 40;
}

static int verify_pbkdf2(const char *text, const char *password, struct strerr *e) {
  struct pbkdf2 p;
  unsigned char made[20];
  stralloc key = STRALLOC_INIT;
  int r;

  if (!parse_pbkdf2(text, &p)) return 0;
  r = decode_hex(&key, p.key);
  if (r == 1)
    r = PKCS5_PBKDF2_HMAC(password, (int)strlen(password), (const unsigned char *)p.salt, (int)p.salt_n, (int)p.rounds, EVP_sha1(), sizeof made, made)
            ? bytes_equal_secret((const char *)made, key.s, sizeof made)
            : -1;
  explicit_bzero(made, sizeof made);
  stralloc_wipe(&key);
  return r == -1 ? failed(e) : r;
}

static int verify_clear(const char *stored, const char *password) {
  size_t n = strlen(stored);

  return strlen(password) == n && bytes_equal_secret(stored, password, n);
}

int password_is_old_hash(const char *stored) {
  static const char letters[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const char *s = stored;

  if (!strncmp(s, MD5_PREFIX, sizeof MD5_PREFIX - 1)) {
    size_t salt = strcspn(s + 3, "$");

    if (salt > MD5_SALT_MAX || s[3 + salt] != '$') return 0;
    s += 3 + salt + 1;
    return strlen(s) == MD5_HASH && s[strspn(s, letters)] == 0;
  }
  return strlen(s) == DES_HASH && s[strspn(s, letters)] == 0;
}

int password_is_imported(const char *stored) {
  stralloc bytes = STRALLOC_INIT;
  struct pbkdf2 p;
  const char *rest;
  int hex;
  const struct scheme *s = find(stored, &hex, &rest);
  int ok = s && *rest;

  if (ok && s->form == CRYPT) ok = crypt_checksalt(rest) == CRYPT_SALT_OK || crypt_checksalt(rest) == CRYPT_SALT_METHOD_LEGACY;
  if (ok && s->form == PBKDF2) ok = parse_pbkdf2(rest, &p);
  if (ok && s->form == DIGEST) ok = decode(s, hex, rest, &bytes) == 1;
  stralloc_wipe(&bytes);
  return ok;
}

int password_import_verify(const char *password, const char *stored, struct strerr *e) {
  const char *rest;
  int hex;
  const struct scheme *s = find(stored, &hex, &rest);

  if (!s || !*rest || *rest == '{') return 0;
  switch (s->form) {
    case CRYPT: return password_verify(password, rest, e);
    case CLEAR: return verify_clear(rest, password);
    case DIGEST: return verify_digest(s, hex, rest, password, e);
    case PBKDF2: return verify_pbkdf2(rest, password, e);
  }
  return 0;
}
