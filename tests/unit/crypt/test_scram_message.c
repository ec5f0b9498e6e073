/* The client's messages of SCRAM, and the header they share with OAUTHBEARER: whole, cut
 * short anywhere, and malformed. */
#include "crypt/scram_message.h"

#include <stdlib.h>

#include "check.h"

#define X64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define X256 X64 X64 X64 X64

static const struct {
  const char *text;
  int ok;
  enum gs2_flag flag;
  const char *binding, *authzid, *bare, *name, *nonce;
} firsts[] = {
    {"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL", 1, GS2_UNBOUND, "", "", "n=user,r=fyko+d2lbbFgONRv9qkxdawL", "user", "fyko+d2lbbFgONRv9qkxdawL"},
    {"y,,n=u,r=x", 1, GS2_UNSEEN, "", "", "n=u,r=x", "u", "x"},
    {"p=tls-exporter,,n=u,r=x", 1, GS2_BOUND, "tls-exporter", "", "n=u,r=x", "u", "x"},
    {"p=a.B-9,a=me=2C,n=u=3D,r=x,t=more", 1, GS2_BOUND, "a.B-9", "me=2C", "n=u=3D,r=x,t=more", "u=3D", "x"},
    {"n,,n=u,r=a=b", 1, GS2_UNBOUND, "", "", "n=u,r=a=b", "u", "a=b"},
    {"n,,n=u,r=" X256, 1, GS2_UNBOUND, "", "", "n=u,r=" X256, "u", X256},
    {"n,,n=u,r=" X256 "x", 0, 0, 0, 0, 0, 0, 0},
    {"n,,n=u,r=x,t=" X256 X256 X256, 0, 0, 0, 0, 0, 0, 0},
    {"", 0, 0, 0, 0, 0, 0, 0},
    {"n", 0, 0, 0, 0, 0, 0, 0},
    {"n,", 0, 0, 0, 0, 0, 0, 0},
    {"n,,", 0, 0, 0, 0, 0, 0, 0},
    {"x,,n=u,r=x", 0, 0, 0, 0, 0, 0, 0},
    {"N,,n=u,r=x", 0, 0, 0, 0, 0, 0, 0},
    {"p,,n=u,r=x", 0, 0, 0, 0, 0, 0, 0},
    {"p=,,n=u,r=x", 0, 0, 0, 0, 0, 0, 0},
    {"p=a b,,n=u,r=x", 0, 0, 0, 0, 0, 0, 0},
    {"F,n,,n=u,r=x", 0, 0, 0, 0, 0, 0, 0},
    {"n,a=,n=u,r=x", 0, 0, 0, 0, 0, 0, 0},
    {"n,b=c,n=u,r=x", 0, 0, 0, 0, 0, 0, 0},
    {"n,n=u,r=x", 0, 0, 0, 0, 0, 0, 0},
    {"n,,m=x,n=u,r=x", 0, 0, 0, 0, 0, 0, 0},
    {"n,,n=,r=x", 0, 0, 0, 0, 0, 0, 0},
    {"n,,n=u", 0, 0, 0, 0, 0, 0, 0},
    {"n,,n=u,", 0, 0, 0, 0, 0, 0, 0},
    {"n,,n=u,r=", 0, 0, 0, 0, 0, 0, 0},
    {"n,,n=u,r=a b", 0, 0, 0, 0, 0, 0, 0},
    {"n,,n=u,r=\xc3\xa9", 0, 0, 0, 0, 0, 0, 0},
    {"n,,r=x,n=u", 0, 0, 0, 0, 0, 0, 0},
    {"n,,n=u,r=x,", 0, 0, 0, 0, 0, 0, 0},
    {"n,,n=u,r=x,t=", 0, 0, 0, 0, 0, 0, 0},
    {"n,,n=u,r=x,1=a", 0, 0, 0, 0, 0, 0, 0},
    {"n,,n=u,r=x,more", 0, 0, 0, 0, 0, 0, 0},
};

static const struct {
  const char *text;
  int ok;
  const char *channel, *nonce, *proof;
  size_t unproven;
} finals[] = {
    {"c=biws,r=fyko+d2lbb3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", 1, "biws", "fyko+d2lbb3rfcNHYJY1ZVvWVs7j", "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", 37},
    {"c=a,r=b,t=c,p=d", 1, "a", "b", "d", 11},
    {"c=a,r=b,p=d,t=c", 0, 0, 0, 0, 0},
    {"c=a,r=b,p=d,", 0, 0, 0, 0, 0},
    {"c=a,r=b,p=", 0, 0, 0, 0, 0},
    {"c=a,r=b,t=c", 0, 0, 0, 0, 0},
    {"c=a,r=b", 0, 0, 0, 0, 0},
    {"c=a,p=d", 0, 0, 0, 0, 0},
    {"r=b,c=a,p=d", 0, 0, 0, 0, 0},
    {"c=,r=b,p=d", 0, 0, 0, 0, 0},
    {"", 0, 0, 0, 0, 0},
};

static const struct {
  const char *text, *want; /* null: no name */
} names[] = {
    {"user", "user"},   {"a=2Cb=3Dc", "a,b=c"}, {"joe@example.com", "joe@example.com"}, {"a b", "a b"}, {"a=2c", 0}, {"a=", 0},
    {"a=2", 0},         {"a=41", 0},            {"a,b", 0},                             {"", 0},        {"a\tb", 0}, {"\x7f", 0},
    {"jos\xc3\xa9", "jos\xc3\xa9"}, {"jos\xe9", 0}, {"\xc3", 0}, {"=3D", "="},
};

static int is(const char *s, size_t n, const char *want) {
  return strlen(want) == n && !memcmp(s ? s : "", want, n);
}

/* Every beginning of it, in memory that ends there: none is read too far. */
static void cut_short(const char *text, int first) {
  for (size_t n = 0; n <= strlen(text); ++n) {
    char *copy = malloc(n ? n : 1);
    struct scram_first a;
    struct scram_final b;

    memcpy(copy, text, n);
    if (first) (void)!scram_first_parse(copy, n, &a);
    else (void)!scram_final_parse(copy, n, &b);
    free(copy);
  }
}

static void messages(void) {
  for (size_t i = 0; i < sizeof firsts / sizeof *firsts; ++i) {
    const char *t = firsts[i].text;
    struct scram_first f;
    int ok = scram_first_parse(t, strlen(t), &f);

    CHECK_CASE(ok == firsts[i].ok, t);
    if (ok && firsts[i].ok) {
      CHECK_CASE(f.gs2.flag == firsts[i].flag && is(f.gs2.binding, f.gs2.binding_n, firsts[i].binding), t);
      CHECK_CASE(is(f.gs2.authzid, f.gs2.authzid_n, firsts[i].authzid) && is(f.bare, f.bare_n, firsts[i].bare), t);
      CHECK_CASE(is(f.name, f.name_n, firsts[i].name) && is(f.nonce, f.nonce_n, firsts[i].nonce), t);
    }
    cut_short(t, 1);
  }
  for (size_t i = 0; i < sizeof finals / sizeof *finals; ++i) {
    const char *t = finals[i].text;
    struct scram_final f;
    int ok = scram_final_parse(t, strlen(t), &f);

    CHECK_CASE(ok == finals[i].ok, t);
    if (ok && finals[i].ok) {
      CHECK_CASE(is(f.channel, f.channel_n, finals[i].channel) && is(f.nonce, f.nonce_n, finals[i].nonce), t);
      CHECK_CASE(is(f.proof, f.proof_n, finals[i].proof) && f.unproven_n == finals[i].unproven, t);
    }
    cut_short(t, 0);
  }
}

static void others(void) {
  stralloc out = STRALLOC_INIT;
  struct scram_first f;

  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    int r = gs2_name(&out, names[i].text, strlen(names[i].text));

    CHECK_CASE(r == (names[i].want != 0), names[i].text);
    if (r == 1 && names[i].want) CHECK_CASE(stralloc_equals(&out, names[i].want), names[i].text);
  }
  CHECK(gs2_name(&out, "a\0b", 3) == 0);
  CHECK(!scram_first_parse("n,,n=a\0b,r=x", 12, &f));
  stralloc_cut(&out, 0);
  CHECK(scram_challenge(&out, "nonce", "c2FsdA==", 4096) && stralloc_equals(&out, "r=nonce,s=c2FsdA==,i=4096"));
  stralloc_free(&out);
  check_nomem(1);
  CHECK(gs2_name(&out, "user", 4) == -1);
  check_nomem(0);
  stralloc_free(&out);
}

int main(void) {
  messages();
  others();
  return check_done();
}
