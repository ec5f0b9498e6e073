/* password: see password.h. */
#include "crypt/password.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "crypt/password_import.h"
#include "crypt/saslprep_unicode.h"

/* Costs: yescrypt's own default is about 25 ms of one core of 2024; the others are
 * set to about as much. */
static const struct {
  const char *name;
  const char *number; /* in PASSWORD_HASH */
  const char *prefix;
  unsigned long count;
  size_t max; /* bytes of the password the method looks at */
  int strength;
} schemes[PASSWORD_SCHEMES] = {
    [PASSWORD_YESCRYPT] = {"YESCRYPT", "4", "$y$", 0, PASSWORD_MAX, 3},
    [PASSWORD_SHA512] = {"SHA-512", "3", "$6$", 30000, PASSWORD_MAX, 2},
    [PASSWORD_SHA256] = {"SHA-256", "2", "$5$", 30000, PASSWORD_MAX, 1},
    [PASSWORD_BCRYPT] = {"BCRYPT", "", "$2b$", 9, 72, 2},
};

/* Other spellings of bcrypt that are as good. */
static const char *const same_as_bcrypt[] = {"$2a$", "$2y$"};

static const char waste_hash[] = "$y$j9T$gjeiySuXHCMHhu3uIIyue/$156j.Jd2AJ0Y24l0qjHBT47nU5FN2E5FPJvBfDF4sDD";

static int starts(const char *s, const char *prefix) {
  return !strncmp(s, prefix, strlen(prefix));
}

/* The scheme of a stored hash, or -1. */
static int scheme_of(const char *hash) {
  for (int i = 0; i < PASSWORD_SCHEMES; ++i)
    if (starts(hash, schemes[i].prefix)) return i;
  for (size_t i = 0; i < sizeof same_as_bcrypt / sizeof *same_as_bcrypt; ++i)
    if (starts(hash, same_as_bcrypt[i])) return PASSWORD_BCRYPT;
  return -1;
}

int password_scheme_find(const char *name, enum password_scheme *scheme) {
  for (int i = 0; i < PASSWORD_SCHEMES; ++i)
    if (*name && (str_caseequal(name, schemes[i].name) || !strcmp(name, schemes[i].number))) {
      *scheme = (enum password_scheme)i;
      return 1;
    }
  return 0;
}

const char *password_scheme_name(const char *hash) {
  int i = scheme_of(hash);

  return i == -1 ? "unknown" : schemes[i].name;
}

int password_is_weaker(const char *stored, enum password_scheme than) {
  int i = scheme_of(stored);

  return i == -1 || schemes[i].strength < schemes[than].strength;
}

int password_is_hash(const char *text) {
  int checked = crypt_checksalt(text);

  return scheme_of(text) != -1 && (checked == CRYPT_SALT_OK || checked == CRYPT_SALT_METHOD_LEGACY);
}

static void release(struct crypt_data *data) {
  if (data) explicit_bzero(data, sizeof *data);
  free(data);
}

static int refuse(struct strerr *e, const char *text) {
  strerr_set(e, text, (char *)0);
  e->permanent = 1;
  return -1;
}

static int hash_text(enum password_scheme scheme, const char *password, stralloc *hash, struct strerr *e) {
  char salt[CRYPT_GENSALT_OUTPUT_SIZE];
  struct crypt_data *data;
  const char *out;
  int r = 0;

  if (!*password) return refuse(e, "an empty password is refused");
  if (strlen(password) > schemes[scheme].max) return refuse(e, "the password is too long");
  if (!crypt_gensalt_rn(schemes[scheme].prefix, schemes[scheme].count, 0, 0, salt, sizeof salt))
    return strerr_sys(e, "unable to make a salt", (char *)0);
  data = calloc(1, sizeof *data);
  if (!data) return strerr_sys(e, "unable to hash a password", (char *)0);
  out = crypt_rn(password, salt, data, sizeof *data);
  if (!out) r = strerr_sys(e, "unable to hash a password", (char *)0);
  else if (!stralloc_copys(hash, out)) r = strerr_sys(e, "unable to hash a password", (char *)0);
  release(data);
  return r;
}

int password_hash(enum password_scheme scheme, const char *password, stralloc *hash,
                  struct strerr *e) {
  stralloc prepared = STRALLOC_INIT;
  int differs = saslprep_differs(&prepared, password, SASLPREP_STORED);
  int r = differs == -1 ? strerr_sys(e, "unable to hash a password", (char *)0) : hash_text(scheme, differs ? prepared.s : password, hash, e);

  stralloc_wipe(&prepared);
  return r;
}

static int verify_text(const char *password, const char *hash, struct strerr *e) {
  struct crypt_data *data;
  const char *out;
  size_t n = strlen(hash);
  int r = 0;

  if (!n || !*password || strlen(password) > PASSWORD_MAX) return 0;
  if (*hash == '{') return password_import_verify(password, hash, e);
  data = calloc(1, sizeof *data);
  if (!data) return strerr_sys(e, "unable to check a password", (char *)0);
  errno = 0;
  out = crypt_rn(password, hash, data, sizeof *data);
  if (out) r = strlen(out) == n && bytes_equal_secret(out, hash, n);
  else if (errno == ENOMEM) r = strerr_sys(e, "unable to check a password", (char *)0);
  release(data);
  return r;
}

int password_verify(const char *password, const char *hash, struct strerr *e) {
  stralloc prepared = STRALLOC_INIT;
  int r = verify_text(password, hash, e);

  if (r == 0) switch (saslprep_differs(&prepared, password, SASLPREP_QUERY)) {
      case 1: r = verify_text(prepared.s, hash, e); break;
      case -1: r = strerr_sys(e, "unable to check a password", (char *)0); break;
    }
  stralloc_wipe(&prepared);
  return r;
}

void password_waste(const char *password) {
  struct strerr e;

  (void)!password_verify(*password ? password : "x", waste_hash, &e);
}

int password_random(size_t n, stralloc *password, struct strerr *e) {
  static const char letters[] = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
  const unsigned count = sizeof letters - 1;

  if (!n || n > PASSWORD_MAX) return refuse(e, "length of a password out of range");
  stralloc_cut(password, 0);
  while (password->len < n) {
    unsigned char b;

    if (getrandom(&b, 1, 0) != 1) return strerr_sys(e, "unable to get random bytes", (char *)0);
    /* Bytes past the last whole multiple would favour the first letters. */
    if (b >= 256 - 256 % count) continue;
    if (!stralloc_append(password, letters[b % count]))
      return strerr_sys(e, "unable to make a password", (char *)0);
  }
  return 0;
}
