/* instruction: the lines of a .qmail file (dot-qmail(5)), told apart.  Pure. */
#ifndef LOCAL_INSTRUCTION_H
#define LOCAL_INSTRUCTION_H

#include <stddef.h>

#include "base/stralloc.h"
#include "base/strlist.h"

enum instruction {
  INSTRUCTION_NOTHING, /* comment, empty line */
  INSTRUCTION_PROGRAM, /* | command */
  INSTRUCTION_MAILDIR, /* path ending in a slash */
  INSTRUCTION_MBOX,
  INSTRUCTION_FORWARD,  /* & address, or an address */
  INSTRUCTION_LIST,     /* +list: from here on forwards only */
  INSTRUCTION_BAD_FIRST /* an empty first line: the file is being edited */
};

/* One line without its LF and without blanks at its end; *arg is the rest after the
 * mark, borrowed, *argn its length. */
enum instruction instruction_classify(const char *s, size_t n, int first, const char **arg,
                                      size_t *argn);

/* A command that needs no shell: an absolute path and words of plain characters or
 * in single quotes.  1 with words filled, 0 when a shell must see it, -1 memory. */
int instruction_words(const char *command, struct strlist *words) MUST_CHECK;

#endif
