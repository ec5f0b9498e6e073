/* Users as lines of text: both forms, and what is none of them. */
#include "user/user_line.h"

#include <stdio.h>
#include <string.h>

#include "check.h"

#define HASH "$6$rounds=1000$saltsalt$LAV5VE5Y7w1d73x1mFNspYWUpazfmwv2SoepNXNKJ/otop/Zok96Hr8Q13LEv0DRY/x8v0/crpIjl8NJSAqXV/"

static const struct {
  const char *line;
  const char *why; /* a word of it; null: a user */
  const char *name, *comment;
  uint64_t bytes, count;
  int has_quota;
  uint32_t flags;
} cases[] = {
    {"joe:" HASH, 0, "joe", "joe", 0, 0, 0, 0},
    {"Joe:" HASH ":Joe Doe", 0, "joe", "Joe Doe", 0, 0, 0, 0},
    {"joe:" HASH "::10M,5", 0, "joe", "joe", 10485760, 5, 1, 0},
    {"joe:" HASH ":Joe:NOQUOTA", 0, "joe", "Joe", 0, 0, 1, 0},
    {"joe:" HASH ":1:0:Joe:/home/v/joe:1000S,2C:clear", 0, "joe", "Joe", 1000, 2, 1, 0},
    {"joe:" HASH ":1:10:Joe:/home/v/joe:NOQUOTA", 0, "joe", "Joe", 0, 0, 1, 10},
    {"joe:" HASH ":1:65535::/home/v/joe:", 0, "joe", "joe", 0, 0, 0, 0x7f},
    {"joe:{SSHA}OzsYCbvvQyB9Kx5rGkj8Fi0GVN8PzEVp", 0, "joe", "joe", 0, 0, 0, 0},
    {"joe", "name:hash", "", "", 0, 0, 0, 0},
    {"", "name:hash", "", "", 0, 0, 0, 0},
    {"joe:secret", "no hash", "", "", 0, 0, 0, 0},
    {"joe:", "no hash", "", "", 0, 0, 0, 0},
    {":" HASH, "", "", "", 0, 0, 0, 0},
    {"j/oe:" HASH, "character", "", "", 0, 0, 0, 0},
    {"..:" HASH, "", "", "", 0, 0, 0, 0},
    {"joe:" HASH ":c:10X", "not a quota", "", "", 0, 0, 0, 0},
    {"joe:" HASH ":c:1:2", "name:hash", "", "", 0, 0, 0, 0},
    {"joe:" HASH ":1:x:Joe:/home:NOQUOTA", "flags", "", "", 0, 0, 0, 0},
    {"joe:" HASH ":1:0:Joe:/home:NOQUOTA:clear:more", "name:hash", "", "", 0, 0, 0, 0},
    {"joe:" HASH ":a\tb", "comment", "", "", 0, 0, 0, 0},
    {"joe:" HASH "\r", "no hash", "", "", 0, 0, 0, 0},
};

static const struct {
  const char *home;
  int fits;
} homes[] = {
    {"/home/vpopmail/domains/example.com/joe", 1}, {"/srv/mail/joe", 1}, {"/srv/joe", 0}, {"/joe", 0}, {"/", 0}, {"", 0},
    {"srv/mail/joe", 0}, {"/srv/mail/joe/", 0}, {"/srv//mail/joe", 0}, {"/srv/./mail/joe", 0}, {"/srv/mail/../joe", 0},
    {"/srv/mail/ann", 0}, {"/srv/mail/xjoe", 0}, {"/srv/mail/joe\t", 0}, {"/srv/ma\til/joe", 0},
};

static void check_homes(struct user_line *u) {
  char line[400];

  for (size_t i = 0; i < sizeof homes / sizeof *homes; ++i) {
    int n = snprintf(line, sizeof line, "joe:" HASH ":1:0:Joe:%s:NOQUOTA", homes[i].home);

    CHECK_CASE(!user_line_parse(line, (size_t)n, u) && !strcmp(stralloc_cstr(&u->home), homes[i].home), homes[i].home);
    CHECK_CASE((user_home_fault(stralloc_cstr(&u->home), u->name.s) == 0) == homes[i].fits, homes[i].home);
  }
  CHECK(!user_line_parse("joe:" HASH, sizeof "joe:" HASH - 1, u) && user_home_fault(stralloc_cstr(&u->home), u->name.s));
}

int main(void) {
  struct user_line u = {.flags = 0};

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    const char *why = user_line_parse(cases[i].line, strlen(cases[i].line), &u);

    CHECK_CASE(!why == !cases[i].why, cases[i].line);
    if (why && cases[i].why && !strstr(why, cases[i].why)) CHECK_CASE(0, why);
    if (why) continue;
    CHECK_CASE(!strcmp(u.name.s, cases[i].name) && !strcmp(u.comment.s, cases[i].comment), cases[i].line);
    CHECK_CASE(u.has_quota == cases[i].has_quota && u.quota.bytes == cases[i].bytes && u.quota.count == cases[i].count, cases[i].line);
    CHECK_CASE(u.flags == cases[i].flags, cases[i].line);
  }
  CHECK(user_line_parse("joe\0x:" HASH, sizeof "joe\0x:" HASH - 1, &u) != 0);
  check_homes(&u);
  for (long n = 1; n < 4; ++n) {
    const char *why;

    user_line_free(&u);
    check_nomem(n);
    why = user_line_parse(cases[1].line, strlen(cases[1].line), &u);
    check_nomem(0);
    CHECK(why && !strcmp(why, "out of memory"));
  }
  user_line_free(&u);
  return check_done();
}
