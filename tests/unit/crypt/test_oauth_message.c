/* Names with tokens: whole, cut short anywhere, and malformed. */
#include "crypt/oauth_message.h"

#include <stdlib.h>

#include "check.h"

#define BEARER "n,a=joe@example.com,\1host=mail.example.com\1port=587\1auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1"
#define TOKEN "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="

static const struct {
  const char *text;
  int bearer; /* of which kind */
  const char *name, *token; /* null: refused */
} cases[] = {
    {BEARER, 1, "joe@example.com", TOKEN},
    {"y,a=j,\1auth=bearer x\1\1", 1, "j", "x"},
    {"n,a=j,\1auth=Bearer x\1user=j\1\1", 1, 0, 0},
    {"n,,\1auth=Bearer x\1\1", 1, 0, 0},
    {"p=tls-exporter,a=j,\1auth=Bearer x\1\1", 1, 0, 0},
    {"n,a=j,\1auth=Basic x\1\1", 1, 0, 0},
    {"n,a=j,\1auth=Bearer \1\1", 1, 0, 0},
    {"n,a=j,\1auth=Bearer x y\1\1", 1, 0, 0},
    {"n,a=j,\1auth=Bearer x\n\1\1", 1, 0, 0},
    {"n,a=j,\1auth=Bearer x\1auth=Bearer y\1\1", 1, 0, 0},
    {"n,a=j,\1auth=Bearer x\1", 1, 0, 0},
    {"n,a=j,\1auth=Bearer x\1\1more", 1, 0, 0},
    {"n,a=j,\1=x\1auth=Bearer x\1\1", 1, 0, 0},
    {"n,a=j,\1novalue\1auth=Bearer x\1\1", 1, 0, 0},
    {"n,a=j,\1k1=x\1auth=Bearer x\1\1", 1, 0, 0},
    {"n,a=j,auth=Bearer x\1\1", 1, 0, 0},
    {"n,a=j,\1\1", 1, 0, 0},
    {"n,a=j,", 1, 0, 0},
    {"\1", 1, 0, 0},
    {"", 1, 0, 0},
    {"user=joe@example.com\1auth=Bearer " TOKEN "\1\1", 0, "joe@example.com", TOKEN},
    {"auth=Bearer x\1user=j\1\1", 0, "j", "x"},
    {"user=j\1user=k\1auth=Bearer x\1\1", 0, 0, 0},
    {"user=\1auth=Bearer x\1\1", 0, 0, 0},
    {"auth=Bearer x\1\1", 0, 0, 0},
    {"user=j\1\1", 0, 0, 0},
    {"", 0, 0, 0},
};

int main(void) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    int (*parse)(const char *, size_t, struct oauth_message *) = cases[i].bearer ? oauthbearer_parse : xoauth2_parse;
    struct oauth_message m;
    size_t whole = strlen(cases[i].text);
    int ok = parse(cases[i].text, whole, &m);

    CHECK_CASE(ok == (cases[i].name != 0), cases[i].text);
    if (ok && cases[i].name) {
      CHECK_CASE(m.name_n == strlen(cases[i].name) && !memcmp(m.name, cases[i].name, m.name_n), cases[i].text);
      CHECK_CASE(m.token_n == strlen(cases[i].token) && !memcmp(m.token, cases[i].token, m.token_n), cases[i].text);
    }
    for (size_t n = 0; n < whole; ++n) {
      char *copy = malloc(n ? n : 1);

      memcpy(copy, cases[i].text, n);
      CHECK_CASE(!parse(copy, n, &m) || !ok, cases[i].text);
      free(copy);
    }
  }
  return check_done();
}
