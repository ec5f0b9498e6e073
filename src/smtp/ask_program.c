/* ask_program: see ask_program.h. */
#include "smtp/ask_program.h"

#include "base/fd.h"
#include "base/program.h"
#include "base/words.h"

#define INPUT_FD 3
#define WORDS_MAX 32
#define TEMPORARY 111

/* The reading end of a pipe with the question, or -1. */
static int question_pipe(const stralloc *question, struct strerr *e) {
  int p[2], r;

  if (fd_pipe(p) == -1) return strerr_sys(e, "unable to make a pipe", (char *)0);
  r = fd_write_all(p[1], question->s, question->len);
  if (r == -1) strerr_sys(e, "unable to ask a program", (char *)0);
  fd_close(p[1]);
  return r == -1 ? fd_close(p[0]) : p[0];
}

static int run(char *const *words, const stralloc *question, stralloc *answer, struct strerr *e) {
  struct spawn s = {.path = words[0], .argv = words};
  int input = question_pipe(question, e), code;

  if (input == -1) return -1;
  spawn_move(&s, SPAWN_NULL, 0);
  if (!answer) spawn_move(&s, SPAWN_NULL, 1);
  spawn_move(&s, input, INPUT_FD);
  code = program_ask(&s, 1, answer, ASK_PROGRAM_ANSWER, deadline_in(ASK_PROGRAM_SECONDS), e);
  fd_close(input);
  if (code == TEMPORARY || code > 128) return strerr_set(e, words[0], ": failed for now", (char *)0);
  return code;
}

int ask_program(const char *command, const stralloc *question, stralloc *answer, struct strerr *e) {
  stralloc copy = STRALLOC_INIT;
  char *words[WORDS_MAX + 1];
  int code = -1;

  if (!stralloc_copys(&copy, command)) return strerr_set(e, "out of memory", (char *)0);
  if (words_split(copy.s, words, WORDS_MAX)) code = run(words, question, answer, e);
  else strerr_set(e, "not a command: ", command, (char *)0);
  stralloc_free(&copy);
  return code;
}
