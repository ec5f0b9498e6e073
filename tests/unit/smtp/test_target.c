/* Routes: relay, port, penalty and tolerance; what is malformed is the administrator's to mend,
 * and no reason to return mail. */
#include "smtp/target.h"

#include <stdlib.h>

#include "check.h"

#define UNSET TARGET_UNSET

static void routes(void) {
  static const struct {
    const char *route, *ip;
    uint16_t port;
    uint64_t penalty, tolerance;
  } cases[] = {
      {":192.0.2.1", "192.0.2.1", 25, UNSET, UNSET},
      {":192.0.2.1:2525", "192.0.2.1", 2525, UNSET, UNSET},
      {":192.0.2.1:", "192.0.2.1", 25, UNSET, UNSET},
      {":192.0.2.1:2525:600", "192.0.2.1", 2525, 600, UNSET},
      {":192.0.2.1:2525:600:60", "192.0.2.1", 2525, 600, 60},
      {":192.0.2.1::0", "192.0.2.1", 25, 0, UNSET},
      {":192.0.2.1:::60", "192.0.2.1", 25, UNSET, 60},
      {":192.0.2.1:25:1:2 user password", "192.0.2.1", 25, 1, 2},
      {":[2001:db8::1]", "2001:db8::1", 25, UNSET, UNSET},
      {":[2001:db8::1]:2525:9", "2001:db8::1", 2525, 9, UNSET},
      {":192.0.2.1:0", 0, 0, 0, 0},
      {":192.0.2.1:99999", 0, 0, 0, 0},
      {":192.0.2.1:x", 0, 0, 0, 0},
      {":192.0.2.1:25:-1", 0, 0, 0, 0},
      {":192.0.2.1:25:1:2:3", 0, 0, 0, 0},
      {":192.0.2.1:25:99999999999999999999", 0, 0, 0, 0},
      {":[2001:db8::1", 0, 0, 0, 0},
      {":[2001:db8::1]x", 0, 0, 0, 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct conf conf;
    struct target_list l;
    struct strerr e;
    struct ip ip;
    enum target_outcome got;

    memset(&conf, 0, sizeof conf);
    CHECK(strlist_add(&conf.v[SET_smtproutes].lines, cases[i].route, strlen(cases[i].route)));
    got = target_find(&l, "far.example", &conf, mono_now() - 1, &e);
    CHECK_CASE(got == (cases[i].ip ? TARGET_OK : TARGET_TEMP), cases[i].route);
    if (got == TARGET_OK) {
      CHECK(ip_scan(cases[i].ip, strlen(cases[i].ip), &ip));
      CHECK_CASE(l.n == 1 && ip_equal(&l.t[0].ip, &ip) && l.t[0].port == cases[i].port, cases[i].route);
      CHECK_CASE(l.penalty == cases[i].penalty && l.tolerance == cases[i].tolerance, cases[i].route);
      target_list_drop(&l, 1);
      CHECK(l.n == 0);
    }
    target_list_free(&l);
    conf_free(&conf);
  }
}

int main(void) {
  setenv("DNSCACHEIP", "127.0.0.1", 1);
  routes();
  return check_done();
}
