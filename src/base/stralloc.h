/* stralloc: the one owner of heap bytes.
 *
 * Invariant: when s is not null, s[len] is a NUL that len does not count, so s
 * can be handed to a system call as it is.  A zeroed struct is a valid empty
 * string (s may then be null: use stralloc_cstr to get a C string in any case).
 * Functions returning int give 1 on success and 0 when memory ran out, in which
 * case the old content is untouched.  Nothing here blocks. */
#ifndef BASE_STRALLOC_H
#define BASE_STRALLOC_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

typedef struct stralloc {
  char *s;
  size_t len; /* bytes in use, without the NUL */
  size_t a;   /* bytes allocated */
} stralloc;

#define STRALLOC_INIT {0, 0, 0}

int stralloc_ready(stralloc *sa, size_t n) MUST_CHECK;
int stralloc_readyplus(stralloc *sa, size_t n) MUST_CHECK;
int stralloc_copyb(stralloc *sa, const char *s, size_t n) MUST_CHECK;
int stralloc_copys(stralloc *sa, const char *s) MUST_CHECK;
int stralloc_copy(stralloc *sa, const stralloc *from) MUST_CHECK;
int stralloc_catb(stralloc *sa, const char *s, size_t n) MUST_CHECK;
int stralloc_cats(stralloc *sa, const char *s) MUST_CHECK;
int stralloc_cat(stralloc *sa, const stralloc *from) MUST_CHECK;
int stralloc_append(stralloc *sa, char c) MUST_CHECK;
int stralloc_catu64(stralloc *sa, uint64_t u) MUST_CHECK;
int stralloc_cati64(stralloc *sa, int64_t i) MUST_CHECK;
/* Append a list of C strings ended by a null pointer: all of them or none. */
int stralloc_catm(stralloc *sa, ...) MUST_CHECK __attribute__((sentinel));
/* Append s and a NUL that counts: the records of our pipes and envelopes. */
int stralloc_catz(stralloc *sa, const char *s, size_t n) MUST_CHECK;

/* The length of a literal is the compiler's to count. */
#define stralloc_copylit(sa, lit) stralloc_copyb((sa), "" lit, sizeof(lit) - 1)
#define stralloc_catlit(sa, lit) stralloc_catb((sa), "" lit, sizeof(lit) - 1)

/* Keep the first n bytes (n beyond the end changes nothing).  Never fails. */
void stralloc_cut(stralloc *sa, size_t n);
/* Remove the first n bytes.  Never fails. */
void stralloc_shift(stralloc *sa, size_t n);
/* Remove blanks, tabs, CR and LF at the end.  Never fails. */
void stralloc_chomp(stralloc *sa);
const char *stralloc_cstr(const stralloc *sa);
int stralloc_equals(const stralloc *sa, const char *s);
int stralloc_starts(const stralloc *sa, const char *prefix);
/* Overwrite with zeros before freeing: for passwords. */
void stralloc_wipe(stralloc *sa);
/* Idempotent; an empty struct is fine. */
void stralloc_free(stralloc *sa);

#endif
