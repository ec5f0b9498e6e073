/* stralloc and strlist: the NUL behind the bytes, clearing, memory that runs out. */
#include "base/stralloc.h"

#include "base/bytes.h"
#include "base/strlist.h"
#include "check.h"

static int whole(const stralloc *sa, const char *want, size_t n) {
  return sa->len == n && (!n || !memcmp(sa->s, want, n)) && (!sa->s || sa->s[n] == 0);
}

static void building(void) {
  stralloc a = STRALLOC_INIT, b = STRALLOC_INIT;

  CHECK(!strcmp(stralloc_cstr(&a), ""));
  CHECK(stralloc_copys(&a, "hello") && whole(&a, "hello", 5));
  CHECK(stralloc_copys(&a, "") && whole(&a, "", 0)); /* copying nothing clears */
  CHECK(stralloc_copyb(&a, 0, 0) && whole(&a, "", 0));
  CHECK(stralloc_copylit(&a, "x\0y") && whole(&a, "x\0y", 3));
  CHECK(stralloc_catlit(&a, "z") && stralloc_append(&a, 0) && whole(&a, "x\0yz\0", 5));
  CHECK(stralloc_copys(&a, "n=") && stralloc_catu64(&a, UINT64_MAX) && stralloc_cati64(&a, INT64_MIN));
  CHECK(whole(&a, "n=18446744073709551615-9223372036854775808", 42));
  CHECK(stralloc_copy(&b, &a) && stralloc_equals(&b, a.s));
  CHECK(stralloc_copys(&a, "one") && stralloc_catm(&a, " two", "", " three", (char *)0) && stralloc_equals(&a, "one two three"));
  CHECK(stralloc_copyb(&a, a.s + 4, 3) && stralloc_equals(&a, "two")); /* of itself */
  CHECK(stralloc_copys(&a, "k") && stralloc_catz(&a, "v", 1) && whole(&a, "kv\0", 3));
  stralloc_free(&a);
  stralloc_free(&a);
  CHECK(!a.s && !a.len && !a.a);
  stralloc_free(&b);
}

static void cutting(void) {
  static const struct {
    const char *in;
    size_t cut, shift;
    const char *want;
  } cases[] = {{"abcdef", 4, 1, "bcd"}, {"abc", 9, 0, "abc"}, {"abc", 3, 9, ""}, {"", 0, 0, ""}, {"abc", 0, 0, ""}};
  stralloc a = STRALLOC_INIT;

  stralloc_cut(&a, 0);
  stralloc_shift(&a, 0);
  stralloc_chomp(&a);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    CHECK(stralloc_copys(&a, cases[i].in));
    stralloc_cut(&a, cases[i].cut);
    stralloc_shift(&a, cases[i].shift);
    CHECK_CASE(whole(&a, cases[i].want, strlen(cases[i].want)), cases[i].in);
  }
  CHECK(stralloc_copys(&a, " x \t\r\n"));
  stralloc_chomp(&a);
  CHECK(stralloc_equals(&a, " x") && stralloc_starts(&a, " ") && !stralloc_starts(&a, " xy") && stralloc_starts(&a, ""));
  stralloc_wipe(&a);
  CHECK(!a.s);
}

/* Each allocation fails in turn: the old content stays. */
static void no_memory(void) {
  for (long n = 1; n < 100; ++n) {
    stralloc a = STRALLOC_INIT;
    struct strlist l = {0};
    int ok = 1;

    check_nomem(0);
    CHECK(stralloc_copys(&a, "old"));
    check_nomem(n);
    for (int i = 0; i < 500 && ok; ++i) {
      size_t was = a.len;

      ok = stralloc_catm(&a, "some", "more", (char *)0);
      CHECK(a.len == (ok ? was + 8 : was) && a.s[a.len] == 0);
    }
    for (int i = 0; i < 50 && ok; ++i) {
      size_t was = l.len;

      ok = strlist_add(&l, "entry", 5);
      CHECK(l.len == was + (size_t)ok);
    }
    check_nomem(0);
    CHECK(!strncmp(a.s, "old", 3));
    stralloc_free(&a);
    strlist_free(&l);
    if (ok) break;
    CHECK(n < 99);
  }
}

static void huge(void) {
  stralloc a = STRALLOC_INIT;

  CHECK(stralloc_copys(&a, "x"));
  CHECK(!stralloc_ready(&a, SIZE_MAX) && !stralloc_readyplus(&a, SIZE_MAX) && !stralloc_readyplus(&a, SIZE_MAX - 1));
  CHECK(stralloc_equals(&a, "x"));
  stralloc_free(&a);
}

static void lists(void) {
  struct strlist l = {0};

  CHECK(strlist_find(&l, "a", 1) == -1);
  CHECK(strlist_add(&l, "Abc", 3) && strlist_add(&l, "", 0) && strlist_add(&l, "last", 4));
  CHECK(strlist_find(&l, "aBC", 3) == 0 && strlist_find(&l, "", 0) == 1 && strlist_find(&l, "last", 4) == 2);
  CHECK(strlist_find(&l, "las", 3) == -1);
  strlist_clear(&l);
  CHECK(l.len == 0 && strlist_find(&l, "abc", 3) == -1);
  strlist_free(&l);
  strlist_free(&l);
}

static void bytes(void) {
  char s[] = "MiXed\xC4";

  CHECK(bytes_chr("abc", 3, 'c') == 2 && bytes_chr("abc", 3, 'x') == 3 && bytes_chr(0, 0, 'x') == 0);
  CHECK(bytes_rchr("a@b@c", 5, '@') == 3 && bytes_rchr("abc", 3, '@') == 3);
  CHECK(bytes_equal("", 0, 0, 0) && bytes_equal("a", 1, "a", 1) && !bytes_equal("a", 1, "ab", 2));
  CHECK(str_caseequal("Abc", "aBC") && !str_caseequal("abc", "abcd") && !str_caseequal("[", "{"));
  CHECK(bytes_casestarts("HELLO", 5, "hel") && !bytes_casestarts("HE", 2, "hel"));
  bytes_lower(s, 6);
  CHECK(!strcmp(s, "mixed\xC4"));
  CHECK(bytes_isgraph("a!~", 3) && !bytes_isgraph("a b", 3) && !bytes_isgraph("\xff", 1) && bytes_isgraph("", 0));
  CHECK(bytes_equal_secret("ab", "ab", 2) && !bytes_equal_secret("ab", "ac", 2));
}

/* Lines as a list, in the order of bytes, and found again. */
static void sorted(void) {
  static const char text[] = "b\n\na\nc\nb\n\xc3\nlast";
  struct strlist l = {0};

  strlist_sort(&l);
  CHECK(strlist_find_sorted(&l, "") == -1);
  CHECK(strlist_add_lines(&l, text, 0) && l.len == 0);
  CHECK(strlist_add_lines(&l, text, sizeof text - 1) && l.len == 6 && stralloc_equals(&l.item[0], "b") && stralloc_equals(&l.item[5], "last"));
  strlist_sort(&l);
  CHECK(strlist_find_sorted(&l, "a") == 0 && strlist_find_sorted(&l, "b") == 1 && strlist_find_sorted(&l, "c") == 3);
  CHECK(strlist_find_sorted(&l, "last") == 4 && strlist_find_sorted(&l, "\xc3") == 5);
  CHECK(strlist_find_sorted(&l, "") == -1 && strlist_find_sorted(&l, "bb") == -1 && strlist_find_sorted(&l, "\xff") == -1);
  strlist_free(&l);
}

int main(void) {
  building();
  sorted();
  cutting();
  no_memory();
  huge();
  lists();
  bytes();
  return check_done();
}
