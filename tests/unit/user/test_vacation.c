/* What a .qmail file becomes with a vacation reply, and without it again. */
#include "user/vacation.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

#define LINE "| /bin/autoresponder -q '/h/.vacation.msg' '/h/.vacation.dir'\n"
#define LATIN "| /bin/autoresponder -q -T 'text/plain; charset=iso-8859-1' '/h/.vacation.msg' '/h/.vacation.dir'\n"
#define OLD "| /x/autoresponder -q -T 'text/plain; charset=x' '/old/.vacation.msg' '/old/.vacation.dir'\n"
#define HIS1 "| autoresponder -q '/a/.vacation.msg' '/b/.vacation.dir'\n"
#define HIS2 "| mine '/a/.vacation.msg' '/a/.vacation.dir'\n"
#define BOX "/h/Maildir/\n"

static const struct {
  const char *before; /* null: no file */
  const char *with, *without; /* null: no file */
} cases[] = {
    {0, LINE BOX, 0},
    {"", LINE, ""},
    {BOX, LINE BOX, BOX},
    {"&a@b\n", LINE "&a@b\n", "&a@b\n"},
    {"&a@b", LINE "&a@b\n", "&a@b\n"},
    {"# x\n\n|y\n", LINE "# x\n\n|y\n", "# x\n\n|y\n"},
    {LINE BOX, LINE BOX, 0},
    {LATIN BOX, LINE BOX, 0},
    {"&a@b\n" LINE BOX, LINE "&a@b\n" BOX, "&a@b\n" BOX},
    {LINE, LINE, ""},
    {"# '/h/.vacation.msg' '/h/.vacation.dir'\n", LINE "# '/h/.vacation.msg' '/h/.vacation.dir'\n", "# '/h/.vacation.msg' '/h/.vacation.dir'\n"},
    /* of a home that he had before */
    {OLD "/old/Maildir/\n", LINE BOX, 0},
    {OLD "&a@b\n/old/Maildir/\n/other/Maildir/\n", LINE "&a@b\n" BOX "/other/Maildir/\n", "&a@b\n" BOX "/other/Maildir/\n"},
    {"/old/Maildir/\n", LINE "/old/Maildir/\n", "/old/Maildir/\n"},
    {HIS1, LINE HIS1, HIS1},
    {HIS2, LINE HIS2, HIS2},
};

static int same(int r, const stralloc *out, const char *want) {
  return want ? r == 1 && stralloc_equals(out, want) : r == 0;
}

int main(void) {
  stralloc text = STRALLOC_INIT, out = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    const char *name = cases[i].before ? cases[i].before : "(none)";
    stralloc *given = cases[i].before ? &text : 0;
    int r;

    CHECK(stralloc_copys(&text, cases[i].before ? cases[i].before : ""));
    r = vacation_edit(given, "/h", "/bin/autoresponder", 0, &out);
    CHECK_CASE(same(r, &out, cases[i].with), name);
    r = vacation_edit(given, "/h", 0, 0, &out);
    CHECK_CASE(same(r, &out, cases[i].without), name);
  }
  CHECK(vacation_edit(0, "/h", "/bin/autoresponder", "iso-8859-1", &out) == 1 && stralloc_equals(&out, LATIN BOX));
  /* what the shell would take for its own */
  CHECK(vacation_edit(0, "/m/o'x`$y", "/p", 0, &out) == 1);
  CHECK(stralloc_equals(&out, "| /p -q '/m/o'\\''x`$y/.vacation.msg' '/m/o'\\''x`$y/.vacation.dir'\n/m/o'x`$y/Maildir/\n"));
  CHECK(stralloc_copy(&text, &out) && vacation_edit(&text, "/m/o'x`$y", 0, 0, &out) == 0);
  CHECK(vacation_charset_ok("iso-8859-1") && !vacation_charset_ok("") && !vacation_charset_ok("a'b") && !vacation_charset_ok("a;b") && !vacation_charset_ok("a\nb"));
  for (long n = 1; n < 4; ++n) {
    stralloc fresh = STRALLOC_INIT;

    check_nomem(n);
    CHECK(vacation_edit(&text, "/h", "/p", 0, &fresh) == -1);
    check_nomem(0);
    stralloc_free(&fresh);
  }
  stralloc_free(&text);
  stralloc_free(&out);
  return check_done();
}
