/* Tags of bounces: made, checked, aged, forged. */
#include "mail/batv.h"

#include <string.h>

#include "check.h"

#define NOW (INT64_C(20783) * 86400 + 4000) /* day 783 */

static struct strlist keys;

/* By other programs: printf %s 1783joe@example.com | openssl dgst -sha256 -hmac secret, and
 * printf %s 0783Joe@example.comsecret | md5sum */
static const struct {
  const char *address;
  int64_t days; /* from NOW */
  enum batv_verdict want;
  const char *plain;
} cases[] = {
    {"prvs=178323be88=joe@example.com", 0, BATV_GOOD, "joe@example.com"},
    {"PRVS=178323be88=Joe@EXAMPLE.com", 7, BATV_GOOD, "Joe@EXAMPLE.com"},
    {"prvs=178323be88=joe@example.com", 8, BATV_STALE, "joe@example.com"},
    {"prvs=178323be88=joe@example.com", -1, BATV_GOOD, "joe@example.com"},
    {"prvs=178323be88=joe@example.com", -2, BATV_STALE, "joe@example.com"},
    {"prvs=178323be88=joe@example.com", 1000, BATV_GOOD, "joe@example.com"},
    {"prvs=178323be88=jim@example.com", 0, BATV_BAD, "jim@example.com"},
    {"prvs=178423be88=joe@example.com", 0, BATV_BAD, "joe@example.com"},
    {"prvs=0783e9bf32=Joe@example.com", 0, BATV_GOOD, "Joe@example.com"},
    {"prvs=0783e9bf32=joe@example.com", 0, BATV_BAD, "joe@example.com"},
    {"prvs=2783e9bf32=joe@example.com", 0, BATV_BAD, ""},
    {"prvs=1783000000=", 0, BATV_BAD, ""},
    {"prvs=17830000=joe@example.com", 0, BATV_BAD, ""},
    {"prvs=1x83000000=joe@example.com", 0, BATV_BAD, ""},
    {"prvs=", 0, BATV_BAD, ""},
    {"prvs", 0, BATV_NONE, ""},
    {"joe@example.com", 0, BATV_NONE, ""},
    {"", 0, BATV_NONE, ""},
};

static void check(void) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    stralloc plain = STRALLOC_INIT;

    CHECK_CASE(batv_check(cases[i].address, strlen(cases[i].address), &keys, NOW + cases[i].days * 86400, 7, &plain) == cases[i].want,
               cases[i].address);
    CHECK_CASE(!strcmp(stralloc_cstr(&plain), cases[i].plain), cases[i].address);
    stralloc_free(&plain);
  }
}

static void sign(void) {
  stralloc out = STRALLOC_INIT, plain = STRALLOC_INIT, again = STRALLOC_INIT;
  struct strlist others = {0};
  char key[200];

  CHECK(batv_sign(&out, "joe@example.com", 15, "secret", NOW) && !strcmp(out.s, cases[0].address));
  CHECK(batv_sign(&again, out.s, out.len, "other", NOW) && !strcmp(again.s, out.s));
  stralloc_cut(&again, 0);
  CHECK(batv_sign(&again, "", 0, "secret", NOW) && batv_sign(&again, "joe", 3, "secret", NOW) && !strcmp(again.s, "joe"));
  /* a new key: what the old one signed is known as long as it is there */
  CHECK(strlist_add(&others, "new", 3) && batv_check(out.s, out.len, &others, NOW, 7, &plain) == BATV_BAD);
  CHECK(strlist_add(&others, "secret", 6) && batv_check(out.s, out.len, &others, NOW, 7, &plain) == BATV_GOOD);
  memset(key, 'k', sizeof key);
  key[199] = 0;
  stralloc_cut(&out, 0);
  CHECK(batv_sign(&out, "joe@example.com", 15, key, NOW) && strlist_add(&others, key, 199));
  CHECK(batv_check(out.s, out.len, &others, NOW, 7, &plain) == BATV_GOOD);
  strlist_free(&others);
  stralloc_free(&out);
  stralloc_free(&plain);
  stralloc_free(&again);
}

int main(void) {
  CHECK(strlist_add(&keys, "secret", 6));
  check();
  sign();
  strlist_free(&keys);
  return check_done();
}
