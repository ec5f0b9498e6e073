/* The site's settings as an option file of mariadb. */
#include "sql/mysql_where.h"

#include <string.h>

#include "check.h"

static const struct {
  const char *where, *want; /* null: refused */
} cases[] = {
    {"host db.example\n", "[client]\nhost=\"db.example\"\n"},
    {"host db.example:u:p:3307\n", "[client]\nuser=\"u\"\npassword=\"p\"\nhost=\"db.example\"\nport=\"3307\"\nprotocol=tcp\n"},
    {"host db.example:u:p:/run/s\n", "[client]\nuser=\"u\"\npassword=\"p\"\nsocket=\"/run/s\"\nhost=\"localhost\"\n"},
    {"host db.example:u:s\\:e\\\\t\"'# x\n", "[client]\nuser=\"u\"\npassword=\"s:e\\\\t\"'# x\"\nhost=\"db.example\"\n"},
    {"host db.example\nuser u\npassword p\nport 1\n", "[client]\nuser=\"u\"\npassword=\"p\"\nhost=\"db.example\"\nport=\"1\"\nprotocol=tcp\n"},
    {"host db.example:::3306:ssl\nssl_ca /c\n", "[client]\nhost=\"db.example\"\nport=\"3306\"\nprotocol=tcp\nssl\nssl-verify-server-cert\nssl-ca=\"/c\"\n"},
    {"host db.example:::3306:ssl\nssl_verify 0\n", "[client]\nhost=\"db.example\"\nport=\"3306\"\nprotocol=tcp\nssl\n"},
    {"file /etc/x.cnf\nhost db.example\n", "!include /etc/x.cnf\n[client]\nhost=\"db.example\"\n"},
    {"host a:b:c:d:e:f:g\n", 0},
    {"host db.example\nport rubbish\n", 0},
};

int main(void) {
  stralloc text = STRALLOC_INIT;
  struct strerr e;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    int r = mysql_where_options(cases[i].where, &text, &e);

    CHECK_CASE(r == (cases[i].want ? 0 : -1), cases[i].where);
    if (cases[i].want) CHECK_CASE(stralloc_equals(&text, cases[i].want), text.s);
  }
  for (long n = 1; n < 8; ++n) {
    stralloc fresh = STRALLOC_INIT;
    int r;

    check_nomem(n);
    r = mysql_where_options("host db.example:u:p:3307\nssl_ca /c\n", &fresh, &e);
    CHECK(r == -1 || check_allocs() < n);
    check_nomem(0);
    stralloc_free(&fresh);
  }
  stralloc_free(&text);
  return check_done();
}
