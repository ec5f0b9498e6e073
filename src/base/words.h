/* words: a command in a control file, cut at its blanks. */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <stddef.h>

/* The words of s, which is cut into pieces, into words[0..max], a null pointer behind the
 * last: how many, 0 when there are none or more than max. */
size_t words_split(char *s, char **words, size_t max);

#endif
