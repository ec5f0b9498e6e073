/* Lines of descriptor 3 of a module, taken apart. */
#include "user/authmod.h"

#include "check.h"

#define IN(text) text, sizeof(text) - 1

static const struct {
  const char *in;
  size_t n;
  int code, has;
  const char *field[AUTHMOD_FIELDS];
} cases[] = {
    {IN("imap\nlogin\njoe\nsecret\n"), 0, 1, {"imap", "login", "joe", "secret", ""}},
    {IN("pop3\nplain\njoe\nsecret"), 0, 1, {"pop3", "plain", "joe", "secret", ""}},
    {IN("imap\ncram-md5\nYQ==\nYg==\n"), 0, 0, {"imap", "cram-md5", "YQ==", "Yg==", ""}},
    {IN("imap\npass\njoe\nold\nnew\n"), 0, 0, {"imap", "pass", "joe", "old", "new"}},
    {IN("imap\nlogin\njoe\n"), 0, 0, {"imap", "login", "joe", "", ""}},
    {IN("imap\nlogin\n\nsecret\n"), 0, 0, {"imap", "login", "", "secret", ""}},
    {IN("a\nb\nc\nd\ne\nf\ng\n"), 0, 0, {"a", "b", "c", "d", "e"}},
    {IN("\n\n\n"), 0, 0, {"", "", "", "", ""}},
    {IN("imap\nlogin\n"), AUTHMOD_MISUSE, 0, {0}},
    {IN("imap\nlogin"), AUTHMOD_MISUSE, 0, {0}},
    {IN(""), AUTHMOD_MISUSE, 0, {0}},
    {IN("imap\nlogin\njoe\0x\nsecret\n"), AUTHMOD_MISUSE, 0, {0}},
};

int main(void) {
  struct authmod m;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    memset(&m, 'x', sizeof m);
    memcpy(m.raw, cases[i].in, cases[i].n);
    m.len = cases[i].n;
    CHECK_CASE(authmod_parse(&m) == cases[i].code, cases[i].in);
    if (cases[i].code) continue;
    for (size_t f = 0; f < AUTHMOD_FIELDS; ++f) CHECK_CASE(!strcmp(m.field[f], cases[i].field[f]), cases[i].in);
    CHECK_CASE(authmod_has_password(&m) == cases[i].has, cases[i].in);
    CHECK_CASE(!memcmp(m.raw, cases[i].in, cases[i].n), cases[i].in);
  }
  return check_done();
}
