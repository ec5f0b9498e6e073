/* Commands, paths and parameters: what the grammar allows and what it does not. */
#include "mail/smtp_syntax.h"

#include "check.h"

static const struct {
  const char *in;
  enum smtp_syntax want;
  const char *address, *domain;
  size_t used;
} paths[] = {
    {"<>", SMTP_OK, "", "", 2},
    {"<a@b.example>", SMTP_OK, "a@b.example", "b.example", 13},
    {"<a@b.example> SIZE=3", SMTP_OK, "a@b.example", "b.example", 13},
    {"<postmaster>", SMTP_OK, "postmaster", "", 12},
    {"<a.b+c=d@x-y.example>", SMTP_OK, "a.b+c=d@x-y.example", "x-y.example", 21},
    {"<\"a b\"@c.d>", SMTP_OK, "a b@c.d", "c.d", 11},
    {"<\"a\\\"b\\\\@x\"@c.d>", SMTP_OK, "a\"b\\@x@c.d", "c.d", 16},
    {"<\">\"@c.d>", SMTP_OK, ">@c.d", "c.d", 9},
    {"<@one,@two.example:a@b>", SMTP_OK, "a@b", "b", 23},
    {"<@[1.2.3.4]:a@b>", SMTP_OK, "a@b", "b", 16},
    {"<a@[127.0.0.1]>", SMTP_OK, "a@[127.0.0.1]", "[127.0.0.1]", 15},
    {"<a@[IPv6:::1]>", SMTP_OK, "a@[IPv6:::1]", "[IPv6:::1]", 14},
    {"<a@[ipv6:2001:db8::1]>", SMTP_OK, "a@[ipv6:2001:db8::1]", "[ipv6:2001:db8::1]", 22},
    {"<a@_dmarc.example>", SMTP_OK, "a@_dmarc.example", "_dmarc.example", 18},
    {"<!#$%&'*+-/=?^_`{|}~@b>", SMTP_OK, "!#$%&'*+-/=?^_`{|}~@b", "b", 23},
    {"", SMTP_SYNTAX, 0, 0, 0},
    {"a@b", SMTP_SYNTAX, 0, 0, 0},
    {"<a@b", SMTP_SYNTAX, 0, 0, 0},
    {"<a@>", SMTP_SYNTAX, 0, 0, 0},
    {"<@b>", SMTP_SYNTAX, 0, 0, 0},
    {"<@b:>", SMTP_SYNTAX, 0, 0, 0},
    {"<@b,a@c>", SMTP_SYNTAX, 0, 0, 0},
    {"<a@b@c>", SMTP_SYNTAX, 0, 0, 0},
    {"<a b@c>", SMTP_SYNTAX, 0, 0, 0},
    {"<.a@b>", SMTP_SYNTAX, 0, 0, 0},
    {"<a.@b>", SMTP_SYNTAX, 0, 0, 0},
    {"<a..b@c>", SMTP_SYNTAX, 0, 0, 0},
    {"<\"\"@c>", SMTP_SYNTAX, 0, 0, 0},
    {"<\"a@c>", SMTP_SYNTAX, 0, 0, 0},
    {"<\"a\\", SMTP_SYNTAX, 0, 0, 0},
    {"<\"a\"b@c>", SMTP_SYNTAX, 0, 0, 0},
    {"<\"a\tb\"@c>", SMTP_SYNTAX, 0, 0, 0},
    {"<a@b.>", SMTP_SYNTAX, 0, 0, 0},
    {"<a@.b>", SMTP_SYNTAX, 0, 0, 0},
    {"<a@b..c>", SMTP_SYNTAX, 0, 0, 0},
    {"<a@-b.c>", SMTP_SYNTAX, 0, 0, 0},
    {"<a@b-.c>", SMTP_SYNTAX, 0, 0, 0},
    {"<a@b-c->", SMTP_SYNTAX, 0, 0, 0},
    {"<a@b/c>", SMTP_SYNTAX, 0, 0, 0},
    {"<a@[1.2.3]>", SMTP_SYNTAX, 0, 0, 0},
    {"<a@[1.2.3.4>", SMTP_SYNTAX, 0, 0, 0},
    {"<a@[::1]>", SMTP_SYNTAX, 0, 0, 0},
    {"<a@[IPv6:1.2.3.4]>", SMTP_SYNTAX, 0, 0, 0},
    {"<a@[]>", SMTP_SYNTAX, 0, 0, 0},
    {"<a(x)@b>", SMTP_SYNTAX, 0, 0, 0},
    {"<a@b\n>", SMTP_SYNTAX, 0, 0, 0},
};

static void path_cases(void) {
  struct smtp_path p = {0};

  for (size_t i = 0; i < sizeof paths / sizeof *paths; ++i) {
    size_t used = 0, n;
    enum smtp_syntax got = smtp_path_parse(paths[i].in, strlen(paths[i].in), &p, &used);
    const char *domain;

    CHECK_CASE(got == paths[i].want, paths[i].in);
    if (got != SMTP_OK || paths[i].want != SMTP_OK) continue;
    CHECK_CASE(stralloc_equals(&p.address, paths[i].address), paths[i].in);
    CHECK_CASE(used == paths[i].used, paths[i].in);
    domain = smtp_path_domain(&p, &n);
    CHECK_CASE(n == strlen(paths[i].domain) && !memcmp(domain, paths[i].domain, n), paths[i].in);
    CHECK_CASE(!p.ip.family == (paths[i].domain[0] != '['), paths[i].in);
  }
  smtp_path_free(&p);
}

/* Every beginning of every good path is refused, and read no further than given. */
static void beginnings(void) {
  struct smtp_path p = {0};

  for (size_t i = 0; i < sizeof paths / sizeof *paths; ++i)
    for (size_t n = 0; paths[i].want == SMTP_OK && n < paths[i].used; ++n) {
      char copy[64];
      size_t used;

      memcpy(copy, paths[i].in, n);
      CHECK_CASE(smtp_path_parse(copy, n, &p, &used) == SMTP_SYNTAX, paths[i].in);
    }
  smtp_path_free(&p);
}

static void lengths(void) {
  struct smtp_path p = {0};
  char in[2000];
  size_t used;

  for (size_t local = 880; local < 910; ++local) {
    size_t total = local + 10;

    in[0] = '<';
    memset(in + 1, 'a', local);
    memcpy(in + 1 + local, "@b.example>", 11);
    CHECK(smtp_path_parse(in, local + 12, &p, &used) == (total <= SMTP_ADDRESS_MAX ? SMTP_OK : SMTP_TOO_LONG));
  }
  in[0] = '<';
  in[1] = 'a';
  in[2] = '@';
  memset(in + 3, 'b', 64);
  in[67] = '>';
  CHECK(smtp_path_parse(in, 68, &p, &used) == SMTP_SYNTAX); /* a label of 64 */
  in[66] = '>';
  CHECK(smtp_path_parse(in, 67, &p, &used) == SMTP_OK);
  CHECK(smtp_path_parse("<\xc3\xa9@b>", 6, &p, &used) == SMTP_OK && p.eight_bit);
  CHECK(smtp_path_parse("<a\0@b>", 6, &p, &used) == SMTP_SYNTAX);
  smtp_path_free(&p);
}

static const struct {
  const char *in;
  enum smtp_syntax want;
  const char *domain;
} plains[] = {
    {"", SMTP_OK, ""},
    {"postmaster", SMTP_OK, ""},
    {"a@b.example", SMTP_OK, "b.example"},
    {"a b<c>@b.example", SMTP_OK, "b.example"},
    {"a@x@b.example", SMTP_OK, "b.example"},
    {"\xc3\xa9@b.example", SMTP_OK, "b.example"},
    {"a@[127.0.0.1]", SMTP_OK, "[127.0.0.1]"},
    {"a@[IPv6:::1]", SMTP_OK, "[IPv6:::1]"},
    {"@b.example", SMTP_SYNTAX, 0},
    {"a@", SMTP_SYNTAX, 0},
    {"a@b..example", SMTP_SYNTAX, 0},
    {"a@b example", SMTP_SYNTAX, 0},
    {"a@b.example>", SMTP_SYNTAX, 0},
    {"a@[127.0.0.1]x", SMTP_SYNTAX, 0},
    {"a@[127.0.0]", SMTP_SYNTAX, 0},
    {"a\x01@b.example", SMTP_SYNTAX, 0},
    {"a\x7f@b.example", SMTP_SYNTAX, 0},
    {"a\nb", SMTP_SYNTAX, 0},
    {"a@b.example\r", SMTP_SYNTAX, 0},
};

static void plain_cases(void) {
  struct smtp_path p = {0};

  for (size_t i = 0; i < sizeof plains / sizeof *plains; ++i) {
    enum smtp_syntax got = smtp_path_plain(plains[i].in, strlen(plains[i].in), &p);
    const char *domain;
    size_t n;

    CHECK_CASE(got == plains[i].want, plains[i].in);
    if (got != SMTP_OK || plains[i].want != SMTP_OK) continue;
    CHECK_CASE(stralloc_equals(&p.address, plains[i].in), plains[i].in);
    domain = smtp_path_domain(&p, &n);
    CHECK_CASE(n == strlen(plains[i].domain) && !memcmp(domain, plains[i].domain, n), plains[i].in);
    CHECK_CASE(!p.ip.family == (plains[i].domain[0] != '[') && p.eight_bit == (plains[i].in[0] == '\xc3'), plains[i].in);
  }
  CHECK(smtp_path_plain("a\0@b", 4, &p) == SMTP_SYNTAX);
  smtp_path_free(&p);
}

static const struct {
  const char *line, *verb, *arg;
} commands[] = {
    {"QUIT", "QUIT", ""},      {"QUIT ", "QUIT", ""},          {"HELO  x y ", "HELO", "x y"}, {"", "", ""},
    {"MAIL\tFROM:<>", "MAIL", "FROM:<>"}, {"MAIL:x", "", ":x"}, {"1a b", "", "1a b"},       {"   ", "", ""},
};

static void command_cases(void) {
  for (size_t i = 0; i < sizeof commands / sizeof *commands; ++i) {
    struct smtp_command c;

    smtp_command_split(commands[i].line, strlen(commands[i].line), &c);
    CHECK_CASE(c.verb_n == strlen(commands[i].verb) && !memcmp(c.verb, commands[i].verb, c.verb_n), commands[i].line);
    CHECK_CASE(c.arg_n == strlen(commands[i].arg) && !memcmp(c.arg, commands[i].arg, c.arg_n), commands[i].line);
  }
}

static const struct {
  const char *in, *keyword;
  enum smtp_syntax want;
  const char *rest;
} arguments[] = {
    {"FROM:<a@b>", "FROM:", SMTP_OK, ""},       {"from: <a@b> X", "FROM:", SMTP_OK, " X"},
    {"TO:<a@b>", "FROM:", SMTP_SYNTAX, ""},     {"FROM <a@b>", "FROM:", SMTP_SYNTAX, ""},
    {"FROM:<a@b>X", "FROM:", SMTP_SYNTAX, ""},  {"FROM:", "FROM:", SMTP_SYNTAX, ""},
    {"FROM:a@b", "FROM:", SMTP_SYNTAX, ""},
};

static void argument_cases(void) {
  struct smtp_path p = {0};

  for (size_t i = 0; i < sizeof arguments / sizeof *arguments; ++i) {
    const char *rest = "";
    size_t n = 0;
    enum smtp_syntax got = smtp_path_argument(arguments[i].in, strlen(arguments[i].in), arguments[i].keyword, &p, &rest, &n);

    CHECK_CASE(got == arguments[i].want, arguments[i].in);
    if (got == SMTP_OK) CHECK_CASE(n == strlen(arguments[i].rest) && !memcmp(rest, arguments[i].rest, n), arguments[i].in);
  }
  smtp_path_free(&p);
}

static const struct {
  const char *in;
  int want[3];
  const char *last; /* keyword=value of the last good one */
} parameters[] = {
    {"", {0}, ""},
    {" SIZE=12", {1, 0}, "SIZE=12"},
    {"  SIZE=12  BODY=8BITMIME ", {1, 1, 0}, "BODY=8BITMIME"},
    {" SMTPUTF8", {1, 0}, "SMTPUTF8"},
    {" AUTH=<>", {1, 0}, "AUTH=<>"},
    {" X-Y=1", {1, 0}, "X-Y=1"},
    {" -X=1", {-1}, ""},
    {" =1", {-1}, ""},
    {" A=", {-1}, ""},
    {" A=b=c", {-1}, ""},
    {" A.b", {-1}, ""},
    {" A=\xc3", {-1}, ""},
};

static void parameter_cases(void) {
  for (size_t i = 0; i < sizeof parameters / sizeof *parameters; ++i) {
    const char *s = parameters[i].in;
    size_t n = strlen(s);

    for (int j = 0; j < 3; ++j) {
      struct smtp_parameter p;
      int got = smtp_parameter_next(&s, &n, &p);
      char text[64];

      CHECK_CASE(got == parameters[i].want[j], parameters[i].in);
      if (got != 1) break;
      if (parameters[i].want[j + 1] == 1) continue;
      snprintf(text, sizeof text, "%.*s%s%.*s", (int)p.keyword_n, p.keyword, p.value ? "=" : "", (int)p.value_n,
               p.value ? p.value : "");
      CHECK_CASE(!strcmp(text, parameters[i].last), parameters[i].in);
    }
  }
}

int main(void) {
  path_cases();
  plain_cases();
  beginnings();
  lengths();
  command_cases();
  argument_cases();
  parameter_cases();
  return check_done();
}
