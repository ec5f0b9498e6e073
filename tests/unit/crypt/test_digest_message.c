/* Answers of DIGEST-MD5: RFC 2831's own, odd ones, cut short anywhere, and malformed. */
#include "crypt/digest_message.h"

#include <stdlib.h>

#include "check.h"

static const struct {
  const char *text;
  int ok;
  const char *user, *response;
  const char *list; /* as digest_list has it */
} cases[] = {
    {"charset=utf-8,username=\"chris\",realm=\"elwood.innosoft.com\",nonce=\"OA6MG9tEQGm2hh\",nc=00000001,cnonce=\"OA6MHXh6VqTrRk\","
     "digest-uri=\"imap/elwood.innosoft.com\",response=d388dad90d4bbd760a152321f2143af7,qop=auth",
     1, "chris", "d388dad90d4bbd760a152321f2143af7",
     "realm=\"elwood.innosoft.com\",nonce=\"OA6MG9tEQGm2hh\",cnonce=\"OA6MHXh6VqTrRk\",nc=00000001,qop=auth,"
     "digest-uri=\"imap/elwood.innosoft.com\",charset=utf-8"},
    {" ,, USERNAME = \"a\\\"b\\\\c\" ,\r\n realm=\"x,y=z\\\"\" , other=\"thing\",more=token,", 1, "a\"b\\c", "", "realm=\"x,y=z\\\"\""},
    {"username=plain,realm=\"\"", 1, "plain", "", "realm=\"\""},
    {"", 1, "", "", ""},
    {"username", 0, 0, 0, 0},
    {"username=", 0, 0, 0, 0},
    {"username=,", 0, 0, 0, 0},
    {"=x", 0, 0, 0, 0},
    {"username=\"a", 0, 0, 0, 0},
    {"username=\"a\\", 0, 0, 0, 0},
    {"username=\"a\"b", 0, 0, 0, 0},
    {"nc=\"1,realm=x\"", 0, 0, 0, 0},
    {"nc=\"\"", 0, 0, 0, 0},
    {"qop=\"auth\"", 1, "", "", "qop=auth"},
    {"username=a b", 0, 0, 0, 0},
    {"username=a,username=b", 0, 0, 0, 0},
    {"realm=\"\",realm=\"\"", 0, 0, 0, 0},
    {"user\xc3\xa9=a", 0, 0, 0, 0},
    {"(a)=b", 0, 0, 0, 0},
};

static int parse(const char *s, size_t n, struct digest_message *m) {
  char *copy = malloc(n ? n : 1);
  int r;

  memset(m, 0, sizeof *m);
  memcpy(copy, s, n);
  r = digest_parse(copy, n, m);
  free(copy);
  return r;
}

int main(void) {
  struct digest_message m;
  stralloc list = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    const char *t = cases[i].text;
    int ok = parse(t, strlen(t), &m);

    CHECK_CASE(ok == cases[i].ok, t);
    if (ok == 1 && cases[i].ok) {
      stralloc_cut(&list, 0);
      CHECK_CASE(!strcmp(stralloc_cstr(&m.field[DIGEST_USERNAME]), cases[i].user), t);
      CHECK_CASE(!strcmp(stralloc_cstr(&m.field[DIGEST_RESPONSE]), cases[i].response), t);
      CHECK_CASE(digest_list(&list, &m) && !strcmp(stralloc_cstr(&list), cases[i].list), t);
    }
    digest_free(&m);
    for (size_t n = 0; n < strlen(t); ++n) {
      (void)parse(t, n, &m);
      digest_free(&m);
    }
  }
  CHECK(parse("username=\"a\0b\"", 14, &m) == 0);
  digest_free(&m);
  for (long n = 1; n < 6; ++n) {
    memset(&m, 0, sizeof m);
    check_nomem(n);
    (void)!digest_parse(cases[0].text, strlen(cases[0].text), &m);
    check_nomem(0);
    digest_free(&m);
  }
  stralloc_free(&list);
  return check_done();
}
