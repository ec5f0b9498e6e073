/* Words of a command, times of expiry, and arguments of a line in pam.d. */
#include "user/pam_backend.h"

#include "check.h"

static const struct {
  const char *word, *user, *want;
} words[] = {
    {"%u", "joe@example.com", "joe"},          {"%d", "joe@example.com", "example.com"},
    {"%U@%D", "joe@example.com", "joe@example.com"}, {"%d", "joe", ""},
    {"a%%b", "joe", "a%b"},                    {"'%u'", "o'$(x);\"", "'o'$(x);\"'"},
    {"%u", "a@b@c", "a@b"},                    {"%u", "%u", "%u"},
    {"", "joe", ""},                           {"%x", "joe", 0},
    {"%", "joe", 0},
};

static const struct {
  const char *text;
  enum pam_verdict want;
} expiries[] = {
    {"-1,-1", PAM_BACKEND_YES},   {",", PAM_BACKEND_YES},        {"1001,1001", PAM_BACKEND_YES},   {"1000,-1", PAM_BACKEND_EXPIRED},
    {"-1,1000", PAM_BACKEND_OLD}, {"5,5", PAM_BACKEND_EXPIRED},  {"1001", PAM_BACKEND_YES},        {"0,-1", PAM_BACKEND_EXPIRED},
    {"x,1", PAM_BACKEND_TEMPFAIL}, {"1001,x", PAM_BACKEND_TEMPFAIL}, {"1,2,3", PAM_BACKEND_TEMPFAIL}, {"99999999999999999999,1", PAM_BACKEND_TEMPFAIL},
    {" 5,5", PAM_BACKEND_TEMPFAIL},
};

static const struct {
  int argc;
  const char *argv[4];
  int ok;
  const char *command, *service;
} lines[] = {
    {0, {0}, 1, 0, 0},
    {1, {"args"}, 1, 0, 0},
    {3, {"args", "-c", "/bin/x %u"}, 1, "/bin/x %u", 0},
    {4, {"args", "-s", "/usr/lib/indimail/modules/iauth.so", "-d"}, 1, 0, 0},
    {1, {"service=smtp"}, 1, 0, "smtp"},
    {1, {"service="}, 0, 0, 0},
    {2, {"-c", "x"}, 0, 0, 0},
    {1, {"-c"}, 0, 0, 0},
    {2, {"-s", "/tmp/other.so"}, 0, 0, 0},
    {2, {"-m", "x"}, 0, 0, 0},
    {1, {"nonsense"}, 0, 0, 0},
};

static int same(const char *a, const char *b) {
  return a && b ? !strcmp(a, b) : a == b;
}

int main(void) {
  stralloc out = STRALLOC_INIT;
  struct pam_backend b;
  struct strerr e;

  for (size_t i = 0; i < sizeof words / sizeof *words; ++i) {
    int r = pam_word(words[i].word, words[i].user, &out);

    CHECK_CASE(r == !!words[i].want, words[i].word);
    if (r) CHECK_CASE(stralloc_equals(&out, words[i].want), words[i].word);
  }
  for (size_t i = 0; i < sizeof expiries / sizeof *expiries; ++i) CHECK_CASE(pam_expiry(expiries[i].text, 1000) == expiries[i].want, expiries[i].text);
  for (size_t i = 0; i < sizeof lines / sizeof *lines; ++i) {
    int r = pam_backend_parse(&b, lines[i].argc, lines[i].argv, &e);

    CHECK_CASE(r == (lines[i].ok ? 0 : -1), lines[i].argv[0] ? lines[i].argv[0] : "nothing");
    if (r == 0) CHECK(same(b.command, lines[i].command) && same(b.service, lines[i].service));
  }
  stralloc_free(&out);
  return check_done();
}
