/* Where a MariaDB server is: every form, whole and each beginning of it. */
#include "sql/mysql_place.h"

#include <string.h>

#include "check.h"

static void parsed(void) {
  static const struct {
    const char *text;
    int want;
    const char *host, *user, *password, *socket;
    unsigned port;
    int tls;
  } cases[] = {
      {"db.example", 1, "db.example", "", "", "", 0, -1},
      {"db:joe", 1, "db", "joe", "", "", 0, -1},
      {"db:joe:pass:3306:ssl", 1, "db", "joe", "pass", "", 3306, 1},
      {"db:joe:pass:3306:nossl", 1, "db", "joe", "pass", "", 3306, 0},
      {"localhost:joe:pass:/run/mysqld/mysqld.sock", 1, "localhost", "joe", "pass", "/run/mysqld/mysqld.sock", 0, -1},
      {"localhost:::./sock", 1, "localhost", "", "", "./sock", 0, -1},
      {"db:joe:pa\\:ss\\\\", 1, "db", "joe", "pa:ss\\", "", 0, -1},
      {"[2001:db8::1]:joe:p:3306", 1, "2001:db8::1", "joe", "p", "", 3306, -1},
      {"db:joe:p::ssl", 1, "db", "joe", "p", "", 0, 1},
      {"db:joe:p:3306:", 1, "db", "joe", "p", "", 3306, -1},
      {"", 0, 0, 0, 0, 0, 0, 0},
      {":joe", 0, 0, 0, 0, 0, 0, 0},
      {"db:joe:p:0", 0, 0, 0, 0, 0, 0, 0},
      {"db:joe:p:65536", 0, 0, 0, 0, 0, 0, 0},
      {"db:joe:p:sock", 0, 0, 0, 0, 0, 0, 0},
      {"db:joe:p:3306:tls", 0, 0, 0, 0, 0, 0, 0},
      {"db:joe:p:3306:ssl:more", 0, 0, 0, 0, 0, 0, 0},
      {"db:joe:p\\", 0, 0, 0, 0, 0, 0, 0},
      {"[2001:db8::1", 0, 0, 0, 0, 0, 0, 0},
      {"[::1]x:joe", 0, 0, 0, 0, 0, 0, 0},
      {"db:joe:two\nlines", 0, 0, 0, 0, 0, 0, 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    const char *t = cases[i].text;
    struct mysql_place p;

    for (size_t n = 0; n < strlen(t); ++n) { /* nothing is read behind the end */
      char copy[64];

      memcpy(copy, t, n);
      CHECK_CASE(mysql_place_parse(&p, copy, n) != -1, t);
      mysql_place_free(&p);
    }
    CHECK_CASE(mysql_place_parse(&p, t, strlen(t)) == cases[i].want, t);
    if (cases[i].want)
      CHECK_CASE(stralloc_equals(&p.host, cases[i].host) && stralloc_equals(&p.user, cases[i].user) &&
                     stralloc_equals(&p.password, cases[i].password) && stralloc_equals(&p.socket, cases[i].socket) &&
                     p.port == cases[i].port && p.tls == cases[i].tls,
                 t);
    mysql_place_free(&p);
  }
}

int main(void) {
  parsed();
  return check_done();
}
