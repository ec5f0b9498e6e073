/* What columns of an old user database mean. */
#include "user/import_value.h"

#include <string.h>

#include "check.h"
#include "user/account.h"
#include "user/userdb.h"

#define KEYS "4096,c2FsdHNhbHRzYWx0,V0QyHMOrFdXl4o0yq6mVjbaBTX7aLVD0ScANuLEJYEU=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

static const struct {
  int64_t gid;
  enum import_numbering numbering;
  enum import_flags result;
  uint32_t flags;
} flags[] = {
    {0, IMPORT_NUMBERING_UNKNOWN, IMPORT_FLAGS_OK, 0},
    {0xff, IMPORT_NUMBERING_UNKNOWN, IMPORT_FLAGS_OK, 0xff},
    {0x100, IMPORT_NUMBERING_UNKNOWN, IMPORT_FLAGS_ASK, 0},
    {0x4001, IMPORT_NUMBERING_UNKNOWN, IMPORT_FLAGS_MORE, 1},
    {-1, IMPORT_NUMBERING_UNKNOWN, IMPORT_FLAGS_MORE, 0},
    {0x3fff, IMPORT_NUMBERING_NEW, IMPORT_FLAGS_OK, 0x3fff},
    {0x3fff, IMPORT_NUMBERING_OLD, IMPORT_FLAGS_OK, 0x3fff},
    {0x100, IMPORT_NUMBERING_NEW, IMPORT_FLAGS_OK, USER_NO_SMTP},
    {0x100, IMPORT_NUMBERING_OLD, IMPORT_FLAGS_OK, USER_OVERRIDE_LIMITS},
    {0x200, IMPORT_NUMBERING_OLD, IMPORT_FLAGS_OK, USER_NO_SMTP},
    {0x2080, IMPORT_NUMBERING_OLD, IMPORT_FLAGS_OK, USER_DOMAIN_ADMIN | USER_V_USER3},
    {INT64_MAX, IMPORT_NUMBERING_NEW, IMPORT_FLAGS_MORE, 0x3fff},
    {INT64_MIN, IMPORT_NUMBERING_OLD, IMPORT_FLAGS_MORE, 0},
};

static const struct {
  const char *stored, *text;
} texts[] = {{"", ""}, {"plain", "plain"}, {"M\xc3\xbcller", "M\xc3\xbcller"}, {"M\xfcller", "M\xc3\xbcller"}, {"\xff\x80\xc3", "\xc3\xbf\xc2\x80\xc3\x83"}};

static const struct {
  const char *stored, *scram;
  int result;
} secrets[] = {
    {"", "", 1},
    {"{SCRAM-SHA-256}" KEYS, "{SCRAM-SHA-256}" KEYS, 1},
    {"{SCRAM-SHA-256}" KEYS ":00ff:the password", "{SCRAM-SHA-256}" KEYS, 1},
    {"{SCRAM-SHA-1}" KEYS, "", 0}, /* keys of another length */
    {"{SCRAM-SHA-256}4096,c2FsdA==", "", 0},
    {"{CRAM}the password", "", 0},
    {"the password", "", 0},
    {"{SCRAM-SHA-256}" KEYS " more", "", 0},
};

static void test_gecos(void) {
  static const struct {
    const char *was, *is;
    int same;
  } cases[] = {{"Joe", "Joe", 1}, {"", "", 1}, {"a:b\tc\x7f", "a b c ", 0}};
  stralloc s = STRALLOC_INIT;
  char big[400];

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    CHECK(stralloc_copys(&s, cases[i].was));
    CHECK_CASE(import_gecos(&s) == cases[i].same && stralloc_equals(&s, cases[i].is), cases[i].was);
  }
  for (size_t i = 0; i < sizeof big; i += 2) memcpy(big + i, "\xc3\xbc", 2);
  CHECK(stralloc_copyb(&s, big, sizeof big) && !import_gecos(&s) && s.len == 254 && account_gecos_ok(stralloc_cstr(&s)));
  stralloc_free(&s);
}

int main(void) {
  stralloc s = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof flags / sizeof *flags; ++i) {
    uint32_t got;
    enum import_flags r = import_flags(flags[i].gid, flags[i].numbering, &got);

    CHECK(r == flags[i].result && (r == IMPORT_FLAGS_ASK || got == flags[i].flags));
  }
  for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i)
    CHECK_CASE(import_text(texts[i].stored, strlen(texts[i].stored), &s) && stralloc_equals(&s, texts[i].text), texts[i].text);
  CHECK(import_text("a\0b", 3, &s) && s.len == 3);
  for (size_t i = 0; i < sizeof secrets / sizeof *secrets; ++i)
    CHECK_CASE(import_scram(secrets[i].stored, &s) == secrets[i].result && stralloc_equals(&s, secrets[i].scram), secrets[i].stored);
  test_gecos();
  stralloc_free(&s);
  return check_done();
}
