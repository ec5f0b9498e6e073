/* Filters with a login name in them: whatever it holds, the filter keeps its form. */
#include "user/ldap_filter.h"

#include "check.h"

static const struct {
  const char *pattern, *login, *domain, *want;
} cases[] = {
    {"(&(uid=%u)(dc=%h))", "joe@example.com", "d", "(&(uid=joe)(dc=example.com))"},
    {"(&(uid=%u)(dc=%h))", "joe", "d.example", "(&(uid=joe)(dc=d.example))"},
    {"(mail=%e)", "joe", "d.example", "(mail=joe@d.example)"},
    {"(mail=%e)", "joe", "", "(mail=joe)"},
    {"(mail=%e)", "a@b@c", "", "(mail=a@b@c)"},
    {"(uid=%u)", "*", "", "(uid=\\2a)"},
    {"(uid=%u)", "joe)(uid=*", "", "(uid=joe\\29\\28uid\\3d\\2a)"},
    {"(uid=%u)", "a\\b|&!<>~/ ", "", "(uid=a\\5cb\\7c\\26\\21\\3c\\3e\\7e\\2f\\20)"},
    {"(uid=%u)", "\xc3\xa9\x01", "", "(uid=\\c3\\a9\\01)"},
    {"(a=100%%)", "x", "", "(a=100%)"},
    {"", "x", "", ""},
    {"(uid=%x)", "x", "", 0},
    {"(uid=%", "x", "", 0},
};

int main(void) {
  stralloc out = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    int r = ldap_filter(cases[i].pattern, cases[i].login, cases[i].domain, &out);

    CHECK_CASE(r == !!cases[i].want, cases[i].login);
    if (r) CHECK_CASE(stralloc_equals(&out, cases[i].want), stralloc_cstr(&out));
  }
  stralloc_free(&out);
  check_nomem(1);
  CHECK(!ldap_filter("(uid=%u)", "joe", "", &out));
  check_nomem(0);
  stralloc_free(&out);
  return check_done();
}
