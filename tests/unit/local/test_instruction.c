/* Lines of .qmail files, and which commands need a shell. */
#include "local/instruction.h"

#include "check.h"

static void classify(void) {
  static const struct {
    const char *line;
    int first;
    enum instruction want;
    const char *arg;
  } cases[] = {
      {"# text", 1, INSTRUCTION_NOTHING, " text"}, {"", 1, INSTRUCTION_BAD_FIRST, ""}, {"", 0, INSTRUCTION_NOTHING, ""},
      {"|cmd a", 0, INSTRUCTION_PROGRAM, "cmd a"}, {"./Maildir/", 0, INSTRUCTION_MAILDIR, "./Maildir/"},
      {"/abs/box", 0, INSTRUCTION_MBOX, "/abs/box"}, {"&a@b", 0, INSTRUCTION_FORWARD, "a@b"}, {"a@b", 0, INSTRUCTION_FORWARD, "a@b"},
      {"+list", 0, INSTRUCTION_LIST, "+list"}, {".", 0, INSTRUCTION_MBOX, "."},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    const char *arg;
    size_t n;

    CHECK_CASE(instruction_classify(cases[i].line, strlen(cases[i].line), cases[i].first, &arg, &n) == cases[i].want, cases[i].line);
    CHECK_CASE(n == strlen(cases[i].arg) && !memcmp(arg, cases[i].arg, n), cases[i].line);
  }
}

static void words(void) {
  static const struct {
    const char *command;
    int plain;
    size_t words;
  } cases[] = {
      {"/bin/vdelivermail '' bounce-no-mailbox", 1, 3}, {" /bin/x 'a b'c d", 1, 3}, {"/bin/x", 1, 1}, {"/bin/x 'unclosed", 0, 0},
      {"x", 0, 0}, {"./x", 0, 0}, {"/bin/x > y", 0, 0}, {"/bin/x $HOME", 0, 0}, {"/bin/x \"a\"", 0, 0}, {"/bin/x a;b", 0, 0},
      {"/bin/x a\\b", 0, 0}, {"/bin/x *", 0, 0}, {"A=b /bin/x", 0, 0}, {"", 0, 0}, {"/bin/x `y`", 0, 0}, {"/bin/x ~", 0, 0},
      {"/bin/x #c", 0, 0}, {"/bin/x a&", 0, 0}, {"/bin/x (a)", 0, 0}, {"/bin/x !a", 0, 0}, {"/bin/x a\nb", 0, 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct strlist w = {0};

    CHECK_CASE(instruction_words(cases[i].command, &w) == cases[i].plain, cases[i].command);
    CHECK_CASE(w.len == cases[i].words, cases[i].command);
    strlist_free(&w);
  }
}

int main(void) {
  classify();
  words();
  return check_done();
}
