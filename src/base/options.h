/* options: command line options from a table.  Single letters; values may be
 * attached or the next argument; "--" ends the options; the first argument that
 * is not an option ends them too. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdint.h>

enum option_kind {
  OPTION_FLAG,   /* int: set to value */
  OPTION_COUNT,  /* int: increased by one */
  OPTION_STRING, /* const char *: points into argv */
  OPTION_U64,    /* uint64_t: at most value (0: no limit) */
  OPTION_I64,    /* int64_t */
  OPTION_WORDS,  /* struct option_word[], for the letter -: the flag of --name is set to 1 */
  OPTION_CALL,   /* function: option_fn with the argument's text */
  OPTION_REFUSED, /* const char[]: why there is no such option here, which others have */
};

struct option {
  char letter; /* 0 ends the table */
  enum option_kind kind;
  void *target;
  uint64_t value;
};

struct option_word {
  const char *name; /* null ends them */
  int *target;
};

/* Gives the index in argv of the first argument, or -1 on an unknown option, a
 * missing value or one out of range.  Allocates nothing. */
int options_parse(int argc, char *const *argv, const struct option *table);
/* The same for programs whose main does nothing special: prints usage and exits
 * 100 on error, or when fewer than min or more than max arguments remain
 * (max -1: no limit). */
int options_or_die(int argc, char *const *argv, const struct option *table, const char *usage,
                   int min, int max);

#endif
