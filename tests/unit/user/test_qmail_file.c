/* A .qmail file whose user, or his domain, gets another place or name. */
#include "user/qmail_file.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

static const struct {
  const char *before;
  const char *after; /* null: it stays */
} cases[] = {
    {"", 0},
    {"/h/ann/Maildir/\n", "/m/eve/Maildir/\n"},
    {"/h/ann/Maildir/", "/m/eve/Maildir/"},
    {" /h/ann/.x/\n", " /m/eve/.x/\n"},
    {"/h/anna/Maildir/\n/x/h/ann/Maildir/\n", 0},
    {"# /h/ann/Maildir/\n\n", 0},
    {"| p -q '/h/ann/.vacation.msg' '/h/ann/.vacation.dir'\n", "| p -q '/m/eve/.vacation.msg' '/m/eve/.vacation.dir'\n"},
    {"| x </h/ann/y >\"/h/ann/z\"\n", "| x </m/eve/y >\"/m/eve/z\"\n"},
    {"| x /x/h/ann/y /h/ann2/z\n", 0},
    {"ann@a.example\n", "eve@b.example\n"},
    {"& Ann@A.example \n", "& eve@b.example \n"},
    {"&joann@a.example\n&ann@a.example.net\nann\n", 0},
};

static void change(const char *name, const struct qmail_change *c, const char *before, const char *after) {
  stralloc text = STRALLOC_INIT, out = STRALLOC_INIT;
  int r;

  CHECK(stralloc_copys(&text, before));
  r = qmail_change(&text, c, &out);
  CHECK_CASE(after ? r == 1 && stralloc_equals(&out, after) : r == 0, name);
  stralloc_free(&text);
  stralloc_free(&out);
}

int main(void) {
  const struct qmail_change c = {"/h/ann", "/m/eve", "ann@a.example", "eve@b.example"};
  const struct qmail_change domain = {"/h/a.example", "/h/b.example", "@a.example", "@b.example"};
  const struct qmail_change odd = {"/h/o'x", "/h/y'z", "o'x@a", "y'z@a"};
  const struct qmail_change back = {"/h/ann", "/h/y'z", "ann@a", "y'z@a"};
  stralloc text = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) change(cases[i].before, &c, cases[i].before, cases[i].after);
  change("domain", &domain, "&bob@A.example\n/h/a.example/bob/Maildir/\n&x@aa.example\n", "&bob@b.example\n/h/b.example/bob/Maildir/\n&x@aa.example\n");
  change("odd", &odd, "| p '/h/o'\\''x/y'\n/h/o'x/Maildir/\n", "| p '/h/y'\\''z/y'\n/h/y'z/Maildir/\n");
  change("quoted", &back, "| p '/h/ann/y'\n", "| p '/h/y'\\''z/y'\n");
  CHECK(stralloc_copys(&text, "| p '/h/ann/y'\n/h/ann/Maildir/\n"));
  for (long n = 1; n < 3; ++n) {
    stralloc fresh = STRALLOC_INIT;

    check_nomem(n);
    CHECK(qmail_change(&text, &c, &fresh) == -1);
    check_nomem(0);
    stralloc_free(&fresh);
  }
  stralloc_free(&text);
  return check_done();
}
