/* SASLprep: the examples of RFC 4013, what each of its steps does, and what has no prepared form; hashes and
 * credentials are made of the prepared form, and those made before stay right. */
#include "crypt/saslprep_unicode.h"

#include <crypt.h>
#include <stdlib.h>

#include "check.h"
#include "crypt/password.h"
#include "crypt/scram.h"

static const struct {
  const char *name, *text;
  const char *stored, *query; /* null: none */
} cases[] = {
    {"example 1: soft hyphen", "I\u00adX", "IX", "IX"},
    {"example 2", "user", "user", "user"},
    {"example 3: case stays", "USER", "USER", "USER"},
    {"example 4: feminine ordinal", "\u00aa", "a", "a"},
    {"example 5: roman nine", "\u2168", "IX", "IX"},
    {"example 6: BEL", "\x07", 0, 0},
    {"example 7: directions", "\u0627\x31", 0, 0},
    {"right to left", "\u0627\u0628", "\u0627\u0628", "\u0627\u0628"},
    {"composed", "caf\u00e9", "caf\u00e9", "caf\u00e9"},
    {"decomposed", "cafe\u0301", "caf\u00e9", "caf\u00e9"},
    {"wide letters", "\uff4a\uff4f\uff45", "joe", "joe"},
    {"other blanks", "a\u00a0b\u3000c", "a b c", "a b c"},
    {"ligature", "o\ufb03ce", "office", "office"},
    {"nothing is left", "\u00ad\u200d", 0, 0},
    {"nothing", "", 0, 0},
    {"DEL", "a\x7f", 0, 0},
    {"control character beyond ASCII", "\u00e9\xc2\x85", 0, 0},
    {"private use", "\ue000", 0, 0},
    {"tagging character", "\U000e0041", 0, 0},
    {"unassigned then", "\u0221", 0, "\u0221"},
    {"emoji", "\U0001f600", 0, "\U0001f600"},
    {"not UTF-8", "caf\xe9", 0, 0},
    {"cut off", "caf\xc3", 0, 0},
    {"longer than needed", "\xc0\xaf", 0, 0},
    {"surrogate", "\xed\xa0\x80", 0, 0},
};

static int same(int r, const stralloc *out, const char *want) {
  return want ? r == 1 && stralloc_equals(out, want) : r == 0;
}

static void test_forms(void) {
  stralloc out = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    const char *text = cases[i].text;
    size_t n = strlen(text);
    char piece[64];

    CHECK_CASE(same(saslprep_unicode(&out, text, SASLPREP_STORED), &out, cases[i].stored), cases[i].name);
    CHECK_CASE(same(saslprep_unicode(&out, text, SASLPREP_QUERY), &out, cases[i].query), cases[i].name);
    for (size_t cut = 0; cut < n; ++cut) { /* wherever it is cut off */
      memcpy(piece, text, cut);
      piece[cut] = 0;
      CHECK_CASE(saslprep_unicode(&out, piece, SASLPREP_QUERY) >= 0, cases[i].name);
    }
  }
  stralloc_wipe(&out);
}

static void test_differs(void) {
  stralloc out = STRALLOC_INIT;

  CHECK(saslprep_differs(&out, "plain", SASLPREP_QUERY) == 0);
  CHECK(saslprep_differs(&out, "caf\u00e9", SASLPREP_QUERY) == 0);
  CHECK(saslprep_differs(&out, "caf\xe9", SASLPREP_QUERY) == 0);
  CHECK(saslprep_differs(&out, "cafe\u0301", SASLPREP_QUERY) == 1 && stralloc_equals(&out, "caf\u00e9"));
  stralloc_wipe(&out);
}

/* The longest that is taken, of what grows most. */
static void test_length(void) {
  stralloc out = STRALLOC_INIT;
  char text[SASLPREP_MAX + 4] = "";

  while (strlen(text) + 3 <= SASLPREP_MAX) memcpy(text + strlen(text), "\ufdfa", 4);
  CHECK(saslprep_unicode(&out, text, SASLPREP_QUERY) == 1 && out.len > 5 * strlen(text));
  memcpy(text + strlen(text), "\u00e9", 3);
  CHECK(saslprep_unicode(&out, text, SASLPREP_QUERY) == 0);
  stralloc_wipe(&out);
}

static void test_passwords(void) {
  stralloc hash = STRALLOC_INIT, scram = STRALLOC_INIT;
  struct strerr e;
  char salt[CRYPT_GENSALT_OUTPUT_SIZE];
  struct crypt_data *data = calloc(1, sizeof *data);

  CHECK(password_hash(PASSWORD_SHA512, "cafe\u0301", &hash, &e) == 0);
  CHECK(password_verify("cafe\u0301", hash.s, &e) == 1 && password_verify("caf\u00e9", hash.s, &e) == 1);
  CHECK(password_verify("cafe", hash.s, &e) == 0 && password_verify("caf\xe9", hash.s, &e) == 0);
  CHECK(password_hash(PASSWORD_SHA512, "\U0001f600", &hash, &e) == 0 && password_verify("\U0001f600", hash.s, &e) == 1);
  /* one that was hashed as it came */
  if (data && crypt_gensalt_rn("$6$", 1000, 0, 0, salt, sizeof salt)) {
    const char *old = crypt_rn("cafe\u0301", salt, data, sizeof *data);

    CHECK(old && password_verify("cafe\u0301", old, &e) == 1 && password_verify("caf\u00e9", old, &e) == 0);
  }
  CHECK(scram_credentials("SCRAM-SHA-256", 4096, "cafe\u0301", &scram, &e) == 0 && scram.len);
  CHECK(scram_credentials("SCRAM-SHA-256", 4096, "\U0001f600", &scram, &e) == 0 && !scram.len);
  free(data);
  stralloc_wipe(&hash);
  stralloc_wipe(&scram);
}

static void test_no_memory(void) {
  stralloc out = STRALLOC_INIT;

  check_nomem(1);
  CHECK(saslprep_unicode(&out, "plain", SASLPREP_QUERY) == -1);
  check_nomem(0);
  stralloc_wipe(&out);
}

int main(void) {
  test_forms();
  test_differs();
  test_length();
  test_passwords();
  test_no_memory();
  return check_done();
}
