/* Rules: what each line becomes, which lines are refused, and which rule a client gets. */
#include "super/tcprules.h"

#include <stdlib.h>
#include <unistd.h>

#include "check.h"

/* Records as key=data; with % for NUL. */
static int collect(void *ctx, const char *key, size_t klen, const char *data, size_t dlen) {
  stralloc *out = ctx;
  size_t start = out->len;

  if (!stralloc_catb(out, key, klen) || !stralloc_append(out, '=') || !stralloc_catb(out, data, dlen) ||
      !stralloc_append(out, ';'))
    return -1;
  for (size_t i = start; i < out->len; ++i)
    if (!out->s[i]) out->s[i] = '%';
  return 0;
}

static const struct {
  const char *line, *records; /* null: refused */
} compiled[] = {
    {"", ""},
    {"# comment", ""},
    {"1.2.3.4:allow", "1.2.3.4=;"},
    {"1.2.3.4:deny  ", "1.2.3.4=D%;"},
    {"1.2.3.4:d", "1.2.3.4=D%;"},
    {"1.2.3.4:a", "1.2.3.4=;"},
    {"1.2.3.4:ins,A=\"b\"", "1.2.3.4=+A=b%;"},
    {":deny", "=D%;"},
    {"1.2.:allow,RELAYCLIENT=\"\"", "1.2.=+RELAYCLIENT=%;"},
    {"1.:allow,A='x,y:z',B=/\"/", "1.=+A=x,y:z%+B=\"%;"},
    {"1.2.3.7-9:deny", "1.2.3.7=D%;1.2.3.8=D%;1.2.3.9=D%;"},
    {"1.2.7-8.:deny", "1.2.7.=D%;1.2.8.=D%;"},
    {"7-8.:deny", "7.=D%;8.=D%;"},
    {"1.2.3.5-5:deny", "1.2.3.5=D%;"},
    {"joe@1.2.3.4:deny", "joe@1.2.3.4=D%;"},
    {"a@b@::1:deny", "a@b@0000:0000:0000:0000:0000:0000:0000:0001=D%;"},
    {"joe@=host:deny", "joe@=host=D%;"},
    {"=a-b.example:deny", "=a-b.example=D%;"},
    {"=.example:deny", "=.example=D%;"},
    {"10.0.0.0/7:deny", "_0000101=D%;"},
    {"255.1.2.3/0:deny", "_=D%;"},
    {"1.2.3.4/32:deny", "_00000001000000100000001100000100=D%;"},
    {"2001:DB8::1:allow", "2001:0db8:0000:0000:0000:0000:0000:0001=;"},
    {"8000::/1:allow", "^1=;"},
    {"::ffff:1.2.3.4:deny", "1.2.3.4=D%;"},
    {"1.2.3.4", 0},
    {"1.2.3.4:", 0},
    {"1.2.3.4:allowed", 0},
    {"1.2.3.4:denyy", 0},
    {"1.2.3.4:foo", 0},
    {"1.2.3.4:allow,", 0},
    {"1.2.3.4:allow,A", 0},
    {"1.2.3.4:allow,A=", 0},
    {"1.2.3.4:allow,A=\"b", 0},
    {"1.2.3.4:allow,=\"b\"", 0},
    {"1.2.3.4:allow,A=\"b\"x", 0},
    {"1.2.3.9-7:deny", 0},
    {"1.2.3.4-256:deny", 0},
    {"1.2.3.4-:deny", 0},
    {"1.2-3.4-5:deny", 0},
    {"1.2.3/24:deny", 0},
    {"1.2.3.0/33:deny", 0},
    {"1.2.3.0/:deny", 0},
    {"2001:db8::/129:deny", 0},
};

static void compiling(void) {
  for (size_t i = 0; i < sizeof compiled / sizeof compiled[0]; ++i) {
    stralloc out = STRALLOC_INIT;
    const struct tcprules_sink sink = {collect, &out};
    struct strerr e;
    int r;

    e.permanent = 0;
    r = tcprules_compile(compiled[i].line, strlen(compiled[i].line), &sink, &e);
    CHECK_CASE(r == (compiled[i].records ? 0 : -1), compiled[i].line);
    CHECK_CASE(r == 0 || e.permanent, compiled[i].line);
    CHECK_CASE(!compiled[i].records || !strcmp(stralloc_cstr(&out), compiled[i].records), compiled[i].line);
    stralloc_free(&out);
  }
}

static const char *const rules[] = {
    "joe@1.2.3.4:allow,R=\"info ip\"",
    "joe@=h.example:allow,R=\"info host\"",
    "1.2.3.4:allow,R=\"ip\"",
    "=h.example:allow,R=\"host\"",
    "1.2.3.:allow,R=\"three\"",
    "1.2.:allow,R=\"two\"",
    "1.:allow,R=\"one\"",
    "1.2.4.0/24:allow,R=\"never: the dots come first\"",
    "9.0.0.0/8:allow,R=\"net8\"",
    "9.9.0.0/16:allow,R=\"net16\"",
    "2001:db8::/32:allow,R=\"v6net\"",
    "2001:db8::5:allow,R=\"v6\"",
    "=.example:allow,R=\"suffix\"",
    "=:allow,R=\"named\"",
    ":deny",
};

static const struct {
  const char *ip, *host, *info, *want; /* null: denied */
} found[] = {
    {"1.2.3.4", "h.example", "joe", "info ip"},
    {"7.7.7.7", "h.example", "joe", "info host"},
    {"1.2.3.4", "h.example", "ann", "ip"},
    {"1.2.3.5", "h.example", 0, "host"},
    {"1.2.3.5", "x.h.example", 0, "three"},
    {"1.2.4.5", 0, 0, "two"},
    {"1.9.9.9", 0, 0, "one"},
    {"9.9.1.1", 0, 0, "net16"},
    {"9.8.1.1", "x.h.example", 0, "net8"},
    {"7.7.7.7", "x.h.example", 0, "suffix"},
    {"7.7.7.7", "elsewhere", "", "named"},
    {"7.7.7.7", 0, 0, 0},
    {"7.7.7.7", "", "", 0},
    {"2001:db8:0::5", 0, 0, "v6"},
    {"2001:db8::6", 0, 0, "v6net"},
    {"2001:db9::6", 0, 0, 0},
    {"", 0, 0, 0},
    {0, 0, 0, 0},
};

static int into_cdb(void *ctx, const char *key, size_t klen, const char *data, size_t dlen) {
  return cdb_make_add(ctx, key, klen, data, dlen);
}

static int open_rules(struct cdb *c, const char *const *lines, size_t n) {
  char name[] = "/tmp/test_tcprules.XXXXXX";
  int fd = mkstemp(name), r;
  struct cdb_make m;
  const struct tcprules_sink sink = {into_cdb, &m};
  struct strerr e;

  unlink(name);
  CHECK(cdb_make_start(&m, fd) == 0);
  for (size_t i = 0; i < n; ++i) CHECK_CASE(tcprules_compile(lines[i], strlen(lines[i]), &sink, &e) == 0, lines[i]);
  CHECK(cdb_make_finish(&m) == 0);
  cdb_make_free(&m);
  r = cdb_init(c, fd);
  close(fd);
  return r;
}

static void finding(void) {
  stralloc key = STRALLOC_INIT;
  struct cdb c;

  CHECK(open_rules(&c, rules, sizeof rules / sizeof rules[0]) == 0);
  for (size_t i = 0; i < sizeof found / sizeof found[0]; ++i) {
    const struct tcprules_client who = {found[i].ip, found[i].host, found[i].info};
    const char *var = 0, *name = found[i].want ? found[i].want : "denied";
    size_t pos = 0;

    CHECK_CASE(tcprules_find(&c, &who, &key) == 1, name);
    if (found[i].want) {
      CHECK_CASE(tcprules_next(cdb_data(&c), c.dlen, &pos, &var) == '+', name);
      CHECK_CASE(var && !strncmp(var, "R=", 2) && !strcmp(var + 2, found[i].want), name);
    } else {
      CHECK_CASE(tcprules_next(cdb_data(&c), c.dlen, &pos, &var) == 'D' && !key.len, name);
    }
    CHECK_CASE(tcprules_next(cdb_data(&c), c.dlen, &pos, &var) == 0, name);
  }
  cdb_free(&c);
  CHECK(open_rules(&c, rules, 0) == 0);
  CHECK(tcprules_find(&c, &(struct tcprules_client){"1.2.3.4", "h", "i"}, &key) == 0);
  cdb_free(&c);
  stralloc_free(&key);
}

static void damaged(void) {
  static const struct {
    const char *name, *data;
    size_t n;
    int first, last;
  } cases[] = {
      {"classic D", "D", 1, 'D', 0},
      {"D and a variable", "D\0+A=b", 7, 'D', '+'},
      {"no NUL", "+A=b", 4, -1, -1},
      {"no =", "+AB", 4, -1, -1},
      {"neither", "x", 2, -1, -1},
      {"D then rubbish", "Dx", 2, 'D', -1},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    const char *var;
    size_t pos = 0;

    CHECK_CASE(tcprules_next(cases[i].data, cases[i].n, &pos, &var) == cases[i].first, cases[i].name);
    CHECK_CASE(tcprules_next(cases[i].data, cases[i].n, &pos, &var) == cases[i].last, cases[i].name);
  }
}

/* Each allocation of a compilation fails in turn. */
static void no_memory(void) {
  static const char line[] = "joe@2001:db8::1:allow,A=\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"";
  long n = 1;

  for (; n < 50; ++n) {
    stralloc out = STRALLOC_INIT;
    const struct tcprules_sink sink = {collect, &out};
    struct strerr e;
    int r;

    check_nomem(n);
    r = tcprules_compile(line, sizeof line - 1, &sink, &e);
    check_nomem(0);
    stralloc_free(&out);
    if (r == 0) break;
    CHECK(r == -1);
  }
  CHECK(n > 2 && n < 50);
}

int main(void) {
  compiling();
  finding();
  damaged();
  no_memory();
  return check_done();
}
