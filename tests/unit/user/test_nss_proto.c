/* Questions and answers of nssd. */
#include "user/nss_proto.h"

#include "check.h"

#define IN(text) text, sizeof(text) - 1

static const struct {
  const char *in;
  size_t n;
  const char *want;
} questions[] = {
    {IN("NS1\0a@b\0"), "a@b"}, {IN("NS1\0\0"), ""},           {IN("NS1\0a@b"), 0}, {IN("NS1\0"), 0},       {IN(""), 0},
    {IN("NS2\0a@b\0"), 0},     {IN("NS1\0a@b\0c\0"), 0},      {IN("\0\0"), 0},
};

static const struct {
  const char *in;
  size_t n;
  enum nss_found want;
} answers[] = {
    {IN("NS1\0found\0a@b\0" "5\0" "6\0c\0/h\0/s\0"), NSS_FOUND},
    {IN("NS1\0found\0a@b\0" "5\0" "6\0\0/h\0\0"), NSS_FOUND},
    {IN("NS1\0none\0"), NSS_NONE},
    {IN("NS1\0unavailable\0"), NSS_UNAVAILABLE},
    {IN("NS1\0found\0"), NSS_UNAVAILABLE},
    {IN("NS1\0found\0a@b\0" "0\0" "6\0c\0/h\0/s\0"), NSS_UNAVAILABLE},
    {IN("NS1\0found\0a@b\0-5\0" "6\0c\0/h\0/s\0"), NSS_UNAVAILABLE},
    {IN("NS1\0found\0a@b\0" "4294967296\0" "6\0c\0/h\0/s\0"), NSS_UNAVAILABLE},
    {IN("NS1\0found\0a@b\0" "5\0" "6\0c:d\0/h\0/s\0"), NSS_UNAVAILABLE},
    {IN("NS1\0found\0a@b\0" "5\0" "6\0c\n\0/h\0/s\0"), NSS_UNAVAILABLE},
    {IN("NS1\0found\0a@b\0" "5\0" "6\0c\0/h\0/s\0more\0"), NSS_UNAVAILABLE},
    {IN("NS1\0found\0a@b\0" "5\0" "6\0c\0/h\0/s"), NSS_UNAVAILABLE},
    {IN("NS1\0nothing\0"), NSS_UNAVAILABLE},
    {IN(""), NSS_UNAVAILABLE},
};

int main(void) {
  char buf[NSS_QUESTION_MAX], longest[NSS_QUESTION_MAX];
  struct nss_account a, b = {"a@b", "comment", "/home/a b", "/bin/x", 4294967294u, 7};
  stralloc out = STRALLOC_INIT;
  size_t n;

  for (size_t i = 0; i < sizeof questions / sizeof *questions; ++i) {
    const char *got = nss_question_parse(questions[i].in, questions[i].n);

    CHECK_CASE(questions[i].want ? got && !strcmp(got, questions[i].want) : !got, questions[i].in);
  }
  for (size_t i = 0; i < sizeof answers / sizeof *answers; ++i) CHECK(nss_answer_parse(answers[i].in, answers[i].n, &a) == answers[i].want);

  n = nss_question_format(buf, "a@b");
  CHECK(n == 8 && !strcmp(nss_question_parse(buf, n), "a@b"));
  CHECK(!nss_question_format(buf, "root") && !nss_question_format(buf, ""));
  memset(longest, 'a', sizeof longest);
  longest[0] = '@';
  longest[NSS_QUESTION_MAX - 5] = 0;
  CHECK((n = nss_question_format(buf, longest)) == NSS_QUESTION_MAX && !strcmp(nss_question_parse(buf, n), longest));
  longest[NSS_QUESTION_MAX - 5] = 'a';
  longest[NSS_QUESTION_MAX - 4] = 0;
  CHECK(!nss_question_format(buf, longest));

  CHECK(nss_answer_format(&out, NSS_FOUND, &b) && nss_answer_parse(out.s, out.len, &a) == NSS_FOUND);
  CHECK(!strcmp(a.name, b.name) && !strcmp(a.comment, b.comment) && !strcmp(a.home, b.home) && !strcmp(a.shell, b.shell) && a.uid == b.uid && a.gid == b.gid);
  b.comment = "x:y";
  CHECK(nss_answer_format(&out, NSS_FOUND, &b) && nss_answer_parse(out.s, out.len, &a) == NSS_FOUND && !*a.comment);
  b.home = "/h\nroot:x:0";
  CHECK(nss_answer_format(&out, NSS_FOUND, &b) && nss_answer_parse(out.s, out.len, &a) == NSS_NONE);
  CHECK(nss_answer_format(&out, NSS_UNAVAILABLE, 0) && nss_answer_parse(out.s, out.len, &a) == NSS_UNAVAILABLE);
  stralloc_free(&out);
  check_nomem(1);
  CHECK(!nss_answer_format(&out, NSS_NONE, 0));
  check_nomem(0);
  return check_done();
}
