/* Lines of a .qmail file: what an instruction is about lies in its line; the words of a
 * command are those a shell would make of it. */
#include "local/instruction.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

static void words_of(const char *s, size_t n) {
  struct strlist words = {0};
  stralloc command = STRALLOC_INIT;
  size_t total = 0;

  require(stralloc_copyb(&command, s, n));
  if (instruction_words(stralloc_cstr(&command), &words) == 1) {
    require(words.len && words.item[0].len && words.item[0].s[0] == '/');
    for (size_t i = 0; i < words.len; ++i) total += words.item[i].len;
    require(total <= strlen(stralloc_cstr(&command)));
    /* outside quotes, which take two, no byte means anything to a shell */
    if (!strchr(command.s, '\'')) require(!strpbrk(command.s, "$`\"\\;&|<>(){}*?[]~#!\n"));
  } else {
    require(!words.len);
  }
  strlist_free(&words);
  stralloc_free(&command);
}

static void line(const char *s, size_t n, int first) {
  const char *arg;
  size_t argn;
  enum instruction kind = instruction_classify(s, n, first, &arg, &argn);

  require(arg >= s && arg + argn <= s + n);
  require((kind == INSTRUCTION_BAD_FIRST) == (first && !n));
  if (kind == INSTRUCTION_MAILDIR) require(argn && arg[argn - 1] == '/');
  if (kind == INSTRUCTION_MBOX) require(argn && (arg[0] == '/' || arg[0] == '.'));
  if (kind == INSTRUCTION_PROGRAM) words_of(arg, argn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data, *end = s + size;
  int first = 1;

  words_of(s, size);
  while (s < end) {
    const char *lf = memchr(s, '\n', (size_t)(end - s));
    size_t n = (size_t)((lf ? lf : end) - s);

    line(s, n, first);
    first = 0;
    s += n + (lf != 0);
  }
  return 0;
}
