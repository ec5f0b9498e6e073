/* instruction: see instruction.h. */
#include "local/instruction.h"

#include <string.h>

#include "base/bytes.h"

static int is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c > 127;
}

static const struct {
  char mark;
  enum instruction kind;
} marks[] = {
    {'#', INSTRUCTION_NOTHING},
    {'|', INSTRUCTION_PROGRAM},
    {'&', INSTRUCTION_FORWARD},
};

enum instruction instruction_classify(const char *s, size_t n, int first, const char **arg,
                                      size_t *argn) {
  *arg = s;
  *argn = n;
  if (!n) return first ? INSTRUCTION_BAD_FIRST : INSTRUCTION_NOTHING;
  for (size_t i = 0; i < sizeof marks / sizeof marks[0]; ++i)
    if (s[0] == marks[i].mark) {
      ++*arg;
      --*argn;
      return marks[i].kind;
    }
  if (s[0] == '.' || s[0] == '/') return s[n - 1] == '/' ? INSTRUCTION_MAILDIR : INSTRUCTION_MBOX;
  if (bytes_equal(s, n, "+list", 5)) return INSTRUCTION_LIST;
  return INSTRUCTION_FORWARD;
}

static int is_plain(char c) {
  return is_alnum(c) || (c && strchr("_@%+=:,./-", c));
}

/* One word at s: how many bytes it takes, 0 when a shell is needed, -1 memory. */
static long take_word(const char *s, stralloc *word) {
  const char *p = s;

  while (*p && *p != ' ' && *p != '\t') {
    size_t n = 0;

    if (*p == '\'') {
      const char *end = strchr(p + 1, '\'');

      if (!end) return 0;
      if (!stralloc_catb(word, p + 1, (size_t)(end - p - 1))) return -1;
      p = end + 1;
      continue;
    }
    while (is_plain(p[n])) ++n;
    if (!n) return 0;
    if (!stralloc_catb(word, p, n)) return -1;
    p += n;
  }
  return p - s;
}

int instruction_words(const char *command, struct strlist *words) {
  stralloc word = STRALLOC_INIT;
  const char *p = command;
  int r = 1;

  while (r == 1) {
    long n;

    while (*p == ' ' || *p == '\t') ++p;
    if (!*p) break;
    stralloc_cut(&word, 0);
    n = take_word(p, &word);
    if (n <= 0) r = (int)n;
    else if (!strlist_add(words, stralloc_cstr(&word), word.len)) r = -1;
    p += n > 0 ? n : 0;
  }
  stralloc_free(&word);
  /* A word with = before the path would be an assignment to the shell. */
  if (r == 1 && (!words->len || words->item[0].s[0] != '/')) r = 0;
  if (r != 1) strlist_clear(words);
  return r;
}
