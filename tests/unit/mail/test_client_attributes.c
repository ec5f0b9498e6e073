/* Arguments of XCLIENT and XFORWARD: what is taken, and how it reads then. */
#include "mail/client_attributes.h"

#include "check.h"

#define SOME (CLIENT_BIT(CLIENT_NAME) | CLIENT_BIT(CLIENT_ADDR) | CLIENT_BIT(CLIENT_PORT) | CLIENT_BIT(CLIENT_PROTO) | CLIENT_BIT(CLIENT_SOURCE))

static const struct {
  const char *s;
  int want;
  enum client_attribute which;
  const char *value;
} cases[] = {
    {"NAME=mx.example.org", 1, CLIENT_NAME, "mx.example.org"},
    {"name=[UNAVAILABLE] addr=192.0.2.1", 1, CLIENT_NAME, ""},
    {"NAME=[tempunavail]", 1, CLIENT_NAME, ""},
    {"NAME=a+20b+2Bc", 1, CLIENT_NAME, "a b+c"},
    {"NAME=a+0Db", 1, CLIENT_NAME, "a?b"},
    {"ADDR=192.0.2.1 PORT=25", 1, CLIENT_ADDR, "192.0.2.1"},
    {"ADDR=IPV6:2001:DB8:0::1", 1, CLIENT_ADDR, "2001:db8::1"},
    {"PORT=25", 1, CLIENT_PORT, "25"},
    {"PROTO=esmtp", 1, CLIENT_PROTO, "esmtp"},
    {"SOURCE=LOCAL", 1, CLIENT_SOURCE, "LOCAL"},
    {"", 0, 0, 0},
    {"NAME", 0, 0, 0},
    {"NAME=", 0, 0, 0},
    {"NAME=a NAME=b", 0, 0, 0},
    {"HELO=a", 0, 0, 0}, /* not allowed here */
    {"OTHER=a", 0, 0, 0},
    {"ADDR=192.0.2", 0, 0, 0},
    {"ADDR=2001:db8::1", 0, 0, 0},
    {"ADDR=IPv6:192.0.2.1", 0, 0, 0},
    {"PORT=65536", 0, 0, 0},
    {"PORT=x", 0, 0, 0},
    {"PROTO=QMTP", 0, 0, 0},
    {"SOURCE=ELSEWHERE", 0, 0, 0},
    {"NAME=a=b", 0, 0, 0},
};

int main(void) {
  char text[300] = "NAME=";
  struct client_attributes a = {0};

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    CHECK_CASE(client_attributes_parse(cases[i].s, strlen(cases[i].s), SOME, &a) == cases[i].want, cases[i].s);
    if (cases[i].want) {
      CHECK_CASE(a.given & CLIENT_BIT(cases[i].which), cases[i].s);
      CHECK_CASE(!strcmp(stralloc_cstr(&a.value[cases[i].which]), cases[i].value), cases[i].s);
    }
    client_attributes_free(&a);
  }
  memset(text + 5, 'x', 256);
  CHECK(client_attributes_parse(text, 5 + 256, SOME, &a) == 0);
  client_attributes_free(&a);
  CHECK(client_attributes_parse(text, 5 + 255, SOME, &a) == 1);
  client_attributes_free(&a);
  return check_done();
}
