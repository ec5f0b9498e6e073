/* UTF-8: the ends of each range, and what lies beyond them; then every code point there is. */
#include "base/utf8.h"

#include "check.h"

static const struct {
  const char *s;
  int want;
} cases[] = {
    {"", 1},
    {"plain", 1},
    {"\x7f", 1},
    {"\xc2\x80", 1},
    {"\xdf\xbf", 1},
    {"\xe0\xa0\x80", 1},
    {"\xed\x9f\xbf", 1},
    {"\xee\x80\x80", 1},
    {"\xef\xbf\xbf", 1},
    {"\xf0\x90\x80\x80", 1},
    {"\xf4\x8f\xbf\xbf", 1},
    {"j\xc3\xb6rg", 1},
    {"\x80", 0},
    {"\xbf", 0},
    {"\xc0\x80", 0}, /* too long for what they say */
    {"\xc1\xbf", 0},
    {"\xe0\x9f\xbf", 0},
    {"\xf0\x8f\xbf\xbf", 0},
    {"\xed\xa0\x80", 0}, /* surrogates */
    {"\xed\xbf\xbf", 0},
    {"\xf4\x90\x80\x80", 0}, /* beyond */
    {"\xf5\x80\x80\x80", 0},
    {"\xff", 0},
    {"\xc3", 0}, /* cut */
    {"\xe2\x82", 0},
    {"\xf0\x9f\x92", 0},
    {"\xc3(", 0},
    {"\xe2(\xa1", 0},
    {"\xe2\x82(", 0},
    {"a\xe9", 0},
};

/* U+0000 to U+1FFFFF, written in as many bytes as it takes. */
static void all(void) {
  for (unsigned u = 0x80; u < 0x200000; ++u) {
    char s[4];
    size_t n = u < 0x800 ? 2 : u < 0x10000 ? 3 : 4;
    static const unsigned char mark[] = {0, 0, 0xc0, 0xe0, 0xf0};
    int want = u <= 0x10ffff && (u < 0xd800 || u > 0xdfff);

    for (size_t i = n; i-- > 1;) s[i] = (char)(0x80 | (u >> 6 * (n - 1 - i) & 0x3f));
    s[0] = (char)(mark[n] | u >> 6 * (n - 1));
    uint32_t number = 0;

    if (utf8_valid(s, n) != want || utf8_character(s, n, &number) != (want ? n : 0) || number != (want ? u : 0)) CHECK_CASE(!"a code point", s);
  }
}

int main(void) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
    CHECK_CASE(utf8_valid(cases[i].s, strlen(cases[i].s)) == cases[i].want, cases[i].s);
  CHECK(utf8_valid("a\0b", 3));
  all();
  return check_done();
}
