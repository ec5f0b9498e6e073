/* SASL exchanges with a carrier that plays the client: messages, how they end, and memory that runs out. */
#include "user/sasl.h"

#include <string.h>

#include "base/base64.h"
#include "check.h"

#define ANSWERS 3

struct text {
  const char *s;
  size_t n;
};
#define TEXT(s) {s, sizeof(s) - 1}

static struct script {
  const struct text *answers;
  size_t asked;
  const char *end; /* what the carrier was told last */
  stralloc last;   /* challenge */
} script;

static enum sasl_verdict ask(struct sasl *x, const char *challenge, size_t n, stralloc *answer) {
  const struct text *t = &script.answers[script.asked];

  (void)x;
  if (script.asked == ANSWERS || !t->s) {
    script.end = "gone";
    return SASL_ENDED;
  }
  ++script.asked;
  if (stralloc_copyb(&script.last, challenge, n) && stralloc_copyb(answer, t->s, t->n)) return SASL_YES;
  script.end = "nomem";
  return SASL_ENDED;
}

static enum sasl_verdict malformed(struct sasl *x, const char *what) {
  (void)x, (void)what;
  script.end = "malformed";
  return SASL_ENDED;
}

static enum sasl_verdict nomem(struct sasl *x) {
  (void)x;
  script.end = "nomem";
  return SASL_ENDED;
}

static enum sasl_verdict suspect(struct sasl *x, const char *why) {
  (void)x, (void)why;
  script.end = "suspect";
  return SASL_NO;
}

static const struct sasl_carrier carrier = {ask, malformed, nomem, suspect};

static enum sasl_verdict judge(struct sasl *x) {
  return stralloc_equals(&x->secret, "good") ? SASL_YES : stralloc_equals(&x->secret, "broken") ? SASL_TEMPFAIL : SASL_NO;
}

static enum sasl_verdict bearer(struct sasl *x) {
  return sasl_oauthbearer(x, judge, "");
}

static enum sasl_verdict xoauth2(struct sasl *x) {
  return sasl_xoauth2(x, judge, "mail \"all\"");
}

static const struct {
  const char *name;
  enum sasl_verdict (*exchange)(struct sasl *);
  const char *initial;
  size_t initial_n;
  struct text answers[ANSWERS];
  enum sasl_verdict want;
  const char *user, *secret, *end;
} cases[] = {
    {"plain", sasl_plain, 0, 0, {TEXT("\0joe\0secret")}, SASL_YES, "joe", "secret", 0},
    {"plain, initial", sasl_plain, "\0joe\0secret", 11, {{0, 0}}, SASL_YES, "joe", "secret", 0},
    {"plain, for himself", sasl_plain, "joe\0joe\0secret", 14, {{0, 0}}, SASL_YES, "joe", "secret", 0},
    {"plain, for another", sasl_plain, "bob\0joe\0secret", 14, {{0, 0}}, SASL_NO, "joe", "secret", 0},
    {"plain, no password", sasl_plain, "\0joe\0", 5, {{0, 0}}, SASL_YES, "joe", "", 0},
    {"plain, one part", sasl_plain, "joe", 3, {{0, 0}}, SASL_ENDED, "", "", "malformed"},
    {"plain, two parts", sasl_plain, "\0joe", 4, {{0, 0}}, SASL_ENDED, "", "", "malformed"},
    {"plain, nothing", sasl_plain, 0, 0, {TEXT("")}, SASL_ENDED, "", "", "malformed"},
    {"plain, nobody", sasl_plain, "\0\0x", 3, {{0, 0}}, SASL_YES, "", "x", 0},
    {"plain, gone", sasl_plain, 0, 0, {{0, 0}}, SASL_ENDED, "", "", "gone"},
    {"login", sasl_login, 0, 0, {TEXT("joe"), TEXT("secret")}, SASL_YES, "joe", "secret", 0},
    {"login, initial", sasl_login, "joe", 3, {TEXT("secret")}, SASL_YES, "joe", "secret", 0},
    {"login, gone", sasl_login, 0, 0, {TEXT("joe")}, SASL_ENDED, "joe", "", "gone"},
    {"bearer", bearer, 0, 0, {TEXT("n,a=j=2Ce,\1auth=Bearer good\1\1")}, SASL_YES, "j,e", "good", 0},
    {"bearer, wrong", bearer, 0, 0, {TEXT("n,a=joe,\1auth=Bearer bad\1\1"), TEXT("\1")}, SASL_NO, "joe", "bad", 0},
    {"bearer, broken", bearer, 0, 0, {TEXT("n,a=joe,\1auth=Bearer broken\1\1")}, SASL_TEMPFAIL, "joe", "broken", 0},
    {"bearer, wrong, gone", bearer, 0, 0, {TEXT("n,a=joe,\1auth=Bearer bad\1\1")}, SASL_ENDED, "joe", "bad", "gone"},
    {"bearer, malformed", bearer, 0, 0, {TEXT("n,a=joe,\1auth=Basic good\1\1")}, SASL_ENDED, "", "", "malformed"},
    {"xoauth2", xoauth2, "user=joe\1auth=Bearer good\1\1", 27, {{0, 0}}, SASL_YES, "joe", "good", 0},
    {"xoauth2, wrong", xoauth2, "user=joe\1auth=Bearer bad\1\1", 26, {TEXT("")}, SASL_NO, "joe", "bad", 0},
};

static enum sasl_verdict run(size_t i, struct sasl *x, stralloc *initial) {
  *x = (struct sasl){.carrier = &carrier, .service = "imap", .ip = "192.0.2.1"};
  script.answers = cases[i].answers;
  script.asked = 0;
  script.end = 0;
  stralloc_cut(&script.last, 0);
  if (cases[i].initial) {
    if (!stralloc_copyb(initial, cases[i].initial, cases[i].initial_n)) return nomem(x);
    x->initial = initial;
  }
  return cases[i].exchange(x);
}

static int same(const char *a, const char *b) {
  return a && b ? !strcmp(a, b) : a == b;
}

static void exchanges(void) {
  stralloc initial = STRALLOC_INIT;
  struct sasl x;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    CHECK_CASE(run(i, &x, &initial) == cases[i].want, cases[i].name);
    CHECK_CASE(stralloc_equals(&x.user, cases[i].user) && stralloc_equals(&x.secret, cases[i].secret), cases[i].name);
    CHECK_CASE(same(script.end, cases[i].end), cases[i].name);
    sasl_forget(&x);
    CHECK_CASE(!x.user.s && !x.secret.s, cases[i].name);
  }
  CHECK(stralloc_equals(&script.last, "{\"status\":\"400\",\"schemes\":\"Bearer\",\"scope\":\"mail \\\"all\\\"\"}"));
  /* With too little memory it says so, or has not noticed: never another verdict. */
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
    for (long n = 1; n < 8; ++n) {
      enum sasl_verdict v;

      stralloc_free(&initial);
      stralloc_free(&script.last);
      check_nomem(n);
      v = run(i, &x, &initial);
      check_nomem(0);
      CHECK_CASE(v == cases[i].want || (v == SASL_ENDED && same(script.end, "nomem")), cases[i].name);
      sasl_forget(&x);
    }
  stralloc_free(&initial);
  stralloc_free(&script.last);
}

static void decoding(void) {
  stralloc out = STRALLOC_INIT;

  CHECK(sasl_decode("=", 1, &out) == 1 && out.len == 0);
  CHECK(sasl_decode("", 0, &out) == 1 && out.len == 0);
  CHECK(sasl_decode("AGE=", 4, &out) == 1 && out.len == 2 && !memcmp(out.s, "\0a", 2));
  CHECK(sasl_decode("!!!!", 4, &out) == 0);
  CHECK(sasl_decode("==", 2, &out) == 0);
  stralloc_free(&out);
}

int main(void) {
  exchanges();
  decoding();
  return check_done();
}
