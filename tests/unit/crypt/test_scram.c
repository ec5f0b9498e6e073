/* Proofs of SCRAM: the exchanges printed in RFC 5802 and RFC 7677, and one of SHA-512 made
 * with Python's hashlib; then credentials made here, and what must not fit them. */
#include "crypt/scram.h"

#include "check.h"

#define NONCE_1 "fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j"
#define NONCE_2 "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SIGNED_1 "n=user,r=fyko+d2lbbFgONRv9qkxdawL,r=" NONCE_1 ",s=QSXCR+Q6sek8bf92,i=4096,c=biws,r=" NONCE_1
#define SIGNED_2 "n=user,r=rOprNGfwEbeRWgbNEkqO,r=" NONCE_2 ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=" NONCE_2
#define STORED_512 "6AAub3065EYRmyFpM2RNwqK+eGnrkYuEWbXn19LsEmBqzu8QaCXNc1FwpnX9NhH2hK/60dzj9DoO5DvVkOHbvg=="
#define SERVER_512 "jZHbYjC1aHh0/hKbxyBuGFjDrgjgKTT1esA7awWiKcRZ0o/0b1yWEebBeSVkkCFewf91nLDfKF24mvD5nmE6rA=="

static const char all[] =
    "{SCRAM-SHA-1}4096,QSXCR+Q6sek8bf92,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE= "
    "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU= "
    "{SCRAM-SHA-512}4096,W22ZaJ0SNY7soEsUEjb6gQ==," STORED_512 "," SERVER_512;

static const struct {
  const char *name, *text, *proof, *signature;
} vectors[] = {
    {"SCRAM-SHA-1", SIGNED_1, "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "rmF9pqV8S7suAoZWja4dJRkFsKQ="},
    {"SCRAM-SHA-256", SIGNED_2, "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
    {"SCRAM-SHA-512", SIGNED_2, "gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
     "ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw=="},
};

static const char *const bad_proofs[] = {
    "", "=", "v0X8", "w0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "v0X8v3Bz2T0CJGbJQyF0X+HI4Tw=", "v0X8v3Bz2T0CJGbJQyF0X+HI4TsA", "not base64 at all!",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
};

static const char *const bad_credentials[] = {
    "", "x", "{SCRAM-SHA-1}", "{SCRAM-SHA-1", "{SCRAM-SHA-1}4096", "{SCRAM-SHA-1}4096,QSXC", "{SCRAM-SHA-1}4096,QSXC,AAAA", "{CRAM}secret",
    "{SCRAM-SHA-1}0,QSXCR+Q6sek8bf92,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE=",
    "{SCRAM-SHA-1}x,QSXCR+Q6sek8bf92,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE=",
    "{SCRAM-SHA-1}99999999999,QSXCR+Q6sek8bf92,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE=",
    "{SCRAM-SHA-1}4096,,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE=",
    "{SCRAM-SHA-1}4096,QSXCR+Q6sek8bf92,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE=:hex:secret",
    "{SCRAM-SHA-256}4096,QSXCR+Q6sek8bf92,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE=",
};

static void published(void) {
  stralloc signature = STRALLOC_INIT;
  struct scram_keys k;
  struct strerr e;

  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; ++i) {
    const char *text = vectors[i].text, *proof = vectors[i].proof;
    struct scram_keys made;
    enum scram_hash hash;

    CHECK(scram_hash_find(vectors[i].name, strlen(vectors[i].name), &hash));
    CHECK_CASE(scram_find(all, hash, &k) == 1 && k.iterations == 4096, vectors[i].name);
    stralloc_cut(&signature, 0);
    CHECK_CASE(scram_check(&k, text, strlen(text), proof, strlen(proof), &signature, &e) == 1, vectors[i].name);
    CHECK_CASE(stralloc_equals(&signature, vectors[i].signature), vectors[i].name);
    CHECK_CASE(scram_check(&k, text, strlen(text) - 1, proof, strlen(proof), &signature, &e) == 0, vectors[i].name);
    made = k;
    memset(made.stored, 0, sizeof made.stored);
    CHECK(scram_derive(&made, "pencil", 6, &e) == 0 && !memcmp(made.stored, k.stored, 20) && !memcmp(made.server, k.server, 20));
  }
  stralloc_free(&signature);
}

static void refused(void) {
  stralloc signature = STRALLOC_INIT;
  struct scram_keys k;
  struct strerr e;
  enum scram_hash hash;

  for (size_t i = 0; i < sizeof bad_credentials / sizeof *bad_credentials; ++i)
    for (int h = 0; h < SCRAM_HASHES; ++h) CHECK_CASE(scram_find(bad_credentials[i], (enum scram_hash)h, &k) == 0, bad_credentials[i]);
  CHECK(scram_find(all, SCRAM_SHA1, &k) == 1);
  for (size_t i = 0; i < sizeof bad_proofs / sizeof *bad_proofs; ++i)
    CHECK_CASE(scram_check(&k, SIGNED_1, strlen(SIGNED_1), bad_proofs[i], strlen(bad_proofs[i]), &signature, &e) == 0, bad_proofs[i]);
  CHECK(signature.len == 0);
  CHECK(!scram_hash_find("SCRAM-SHA-256-PLUS", 18, &hash) && !scram_hash_find("", 0, &hash) && !scram_hash_find("SCRAM-SHA-1", 10, &hash));
  check_nomem(1);
  CHECK(scram_check(&k, SIGNED_1, strlen(SIGNED_1), vectors[0].proof, strlen(vectors[0].proof), &signature, &e) == -1);
  check_nomem(1);
  CHECK(scram_find(all, SCRAM_SHA1, &k) == -1);
  check_nomem(0);
  stralloc_free(&signature);
}

static void made(void) {
  stralloc a = STRALLOC_INIT, b = STRALLOC_INIT;
  struct scram_keys k, again;
  struct strerr e;

  CHECK(scram_credentials("SCRAM-SHA-256  SCRAM-SHA-1", 4096, "secret", &a, &e) == 0);
  CHECK(scram_find(a.s, SCRAM_SHA256, &k) == 1 && k.salt_n == SCRAM_SALT && scram_find(a.s, SCRAM_SHA512, &again) == 0);
  again = k;
  memset(again.stored, 0, sizeof again.stored);
  CHECK(scram_derive(&again, "secret", 6, &e) == 0 && !memcmp(k.stored, again.stored, 32));
  CHECK(scram_derive(&again, "Secret", 6, &e) == 0 && memcmp(k.stored, again.stored, 32));
  CHECK(scram_credentials("SCRAM-SHA-256", 4096, "secret", &b, &e) == 0 && strcmp(a.s, b.s));
  CHECK(scram_credentials("SCRAM-SHA-256", 4096, "\xf0\x9f\x98\x80", &b, &e) == 0 && !b.len);
  CHECK(scram_credentials("SCRAM-SHA-256", 4096, "tab\t", &b, &e) == 0 && !b.len);
  CHECK(scram_credentials(" ", 4096, "secret", &b, &e) == 0 && !b.len);
  CHECK(scram_credentials("SCRAM-MD5", 4096, "secret", &b, &e) == -1 && e.permanent);
  CHECK(scram_credentials("SCRAM-SHA-1", 4095, "secret", &b, &e) == -1 && e.permanent);
  stralloc_free(&a);
  stralloc_free(&b);
}

static void fakes(void) {
  struct scram_keys a = {.hash = SCRAM_SHA256}, b = {.hash = SCRAM_SHA256}, c = {.hash = SCRAM_SHA1};
  struct strerr e;

  CHECK(scram_fake(&a, "secret", 6, "joe@example.com", 15, &e) == 0 && a.salt_n == SCRAM_SALT);
  CHECK(scram_fake(&b, "secret", 6, "joe@example.com", 15, &e) == 0 && !memcmp(a.salt, b.salt, SCRAM_SALT));
  CHECK(memcmp(a.stored, b.stored, 32));
  CHECK(scram_fake(&c, "secret", 6, "joe@example.com", 15, &e) == 0 && memcmp(a.salt, c.salt, SCRAM_SALT));
  CHECK(scram_fake(&b, "secret", 6, "jim@example.com", 15, &e) == 0 && memcmp(a.salt, b.salt, SCRAM_SALT));
  CHECK(scram_fake(&b, "Secret", 6, "joe@example.com", 15, &e) == 0 && memcmp(a.salt, b.salt, SCRAM_SALT));
}

int main(void) {
  published();
  refused();
  made();
  fakes();
  return check_done();
}
